import { GatewayError, isGatewayError } from "../../core/errors.ts";
import type { Gpio, GpioInput, GpioOutput, InputWishes, Level } from "../gpio.ts";
import { type LinuxGpioOptions, openLinuxGpio, type SysfsGpio } from "./gpio.ts";
import { type GpiodOptions, openGpiod } from "./gpiod.ts";

/**
 * The header's pins by the backend that fits: sysfs, whose outputs outlive the process, else the character device, which
 * alone knows pull resistors and the kernel's time. Throws PIN_MISSING where neither has the chip.
 */
export async function openPins(options: LinuxGpioOptions & GpiodOptions): Promise<Gpio> {
  let noSysfs: unknown;
  const sysfs = await openLinuxGpio(options).catch((error) => {
    if (!isGatewayError(error, "PIN_MISSING")) throw error;
    noSysfs = error;
    return undefined;
  });
  const pins = new Pins(sysfs, options);
  if (!sysfs) {
    await pins.gpiod().catch((error) => {
      const reason = isGatewayError(error) ? error.message : String(error);
      throw new GatewayError("PIN_MISSING", `${isGatewayError(noSysfs) ? noSysfs.message : ""}; and ${reason}`, {
        cause: error,
      });
    });
  }
  return pins;
}

class Pins implements Gpio {
  readonly #sysfs: SysfsGpio | undefined;
  readonly #options: GpiodOptions;
  #gpiod: Promise<Gpio> | undefined;
  #name: string;
  #isClosed = false;

  constructor(sysfs: SysfsGpio | undefined, options: GpiodOptions) {
    this.#sysfs = sysfs;
    this.#options = options;
    this.#name = sysfs?.name ?? "gpiod";
  }

  get name(): string {
    return this.#name;
  }

  /** Opened at the first use; what could not be opened is tried anew. */
  gpiod(): Promise<Gpio> {
    if (this.#isClosed) return Promise.reject(new GatewayError("CANCELLED", `${this.#name} is closed`));
    this.#gpiod ??= openGpiod(this.#options).then((gpiod) => {
      this.#name = gpiod.name;
      return gpiod;
    });
    this.#gpiod.catch(() => {
      this.#gpiod = undefined;
    });
    return this.#gpiod;
  }

  async input(pin: number, wishes: InputWishes = {}): Promise<GpioInput> {
    if (!this.#sysfs) return await (await this.gpiod()).input(pin, wishes);
    const gpiod = await this.#gpiodFor(wishes);
    if (!gpiod) return await this.#sysfs.input(pin);
    await this.#sysfs.clear(pin);
    return await gpiod.input(pin, wishes);
  }

  async output(pin: number, initial: Level): Promise<GpioOutput> {
    return await (this.#sysfs ?? (await this.gpiod())).output(pin, initial);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    const gpiod = await this.#gpiod?.catch(() => undefined);
    await Promise.all([this.#sysfs, gpiod].map((port) => port?.[Symbol.asyncDispose]()));
  }

  /** The kernel's time is a wish; a pull resistor is a must: without it the pin would tell noise. */
  async #gpiodFor({ pull, kernelTime }: InputWishes): Promise<Gpio | undefined> {
    if (pull !== undefined) return await this.gpiod();
    if (!kernelTime) return undefined;
    return await this.gpiod().catch((error) => {
      if (!isGatewayError(error, "TOOL_MISSING", "PIN_MISSING")) throw error;
      return undefined;
    });
  }
}
