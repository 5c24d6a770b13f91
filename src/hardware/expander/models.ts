import type { Clock } from "../../core/clock.ts";
import type { GpioInput } from "../gpio.ts";
import { type I2cBus, type I2cDevice, i2cDevice } from "../i2c.ts";
import { hexAddress } from "../transfer.ts";
import type { ExpanderChip } from "./chip.ts";
import { Expander } from "./expander.ts";
import { mcp230xx } from "./mcp230xx.ts";
import { pcf857x } from "./pcf857x.ts";

export type ExpanderModel = "mcp23008" | "mcp23017" | "pcf8574" | "pcf8575";

const chips: Readonly<Record<ExpanderModel, (device: I2cDevice) => ExpanderChip>> = {
  mcp23008: (device) => mcp230xx(device, 1),
  mcp23017: (device) => mcp230xx(device, 2),
  pcf8574: (device) => pcf857x(device, 1),
  pcf8575: (device) => pcf857x(device, 2),
};

/** Which expander, and how it is listened to. */
export interface ExpanderPlace {
  readonly model: ExpanderModel;
  readonly bus: string;
  readonly address: number;
  readonly pollMs: number;
  /** BCM number of the pin that its interrupt is wired to. */
  readonly interruptPin?: number | undefined;
}

export function openExpander(
  { model, address, pollMs, interruptPin }: ExpanderPlace,
  bus: I2cBus,
  clock: Pick<Clock, "monoMs" | "sleep">,
  openPin: (pin: number) => Promise<GpioInput>,
): Expander {
  return new Expander({
    name: `the ${model} at ${hexAddress(address)} on ${bus.name}`,
    chip: chips[model](i2cDevice(bus, address)),
    clock,
    pollMs,
    ...(interruptPin !== undefined && { openInterrupt: () => openPin(interruptPin) }),
  });
}
