import type { Expander } from "./expander/expander.ts";
import type { ExpanderPlace } from "./expander/models.ts";
import type { KernelFiles } from "./files.ts";
import type { Gpio } from "./gpio.ts";
import type { I2cBus } from "./i2c.ts";
import type { Pwm } from "./pwm.ts";

/** The machine's hardware: the real one, or a simulated one of the same shape. */
export interface Hardware extends AsyncDisposable {
  /** Opens a bus once and keeps it: `i2c-1`, `1`, `/dev/i2c-1`, or `i2c-1/mux@0x70/3`. BUS_MISSING where there is none. */
  i2c(bus: string): Promise<I2cBus>;
  gpio(): Promise<Gpio>;
  pwm(): Promise<Pwm>;
  /** One for each place, however many ask for it. */
  expander(place: ExpanderPlace): Promise<Expander>;
  readonly files: KernelFiles;
}
