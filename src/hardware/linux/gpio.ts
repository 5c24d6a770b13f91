import type { Clock } from "../../core/clock.ts";
import { GatewayError } from "../../core/errors.ts";
import type { Gpio, GpioInput, GpioOutput, Level } from "../gpio.ts";
import type { LinuxFiles } from "./files.ts";
import { type Line, LinuxInput } from "./gpio-input.ts";
import { SysfsOutput } from "./gpio-output.ts";
import {
  exportInput,
  exportOutput,
  findHeaderChip,
  type GpioChip,
  pinPath,
  unexport,
  unexportInput,
} from "./gpio-sysfs.ts";
import { PinClaims } from "./pin-claims.ts";

/** Takes a line that is exported and ready, by its sysfs number, as input with both edges. */
export type OpenLine = (number: number) => Promise<Line>;

export interface LinuxGpioOptions {
  readonly files: LinuxFiles;
  readonly clock: Pick<Clock, "monoMs" | "sleep">;
  readonly openLine?: OpenLine;
}

/** The header's pins through sysfs. Throws PIN_MISSING where there is no such chip. */
export async function openLinuxGpio({ files, clock, openLine = openOnoffLine }: LinuxGpioOptions): Promise<SysfsGpio> {
  const chip = await findHeaderChip(files);
  return new LinuxGpio(chip, files, clock, openLine);
}

/**
 * onoff is loaded at the first use, and only in the main thread: its addon crashes Node when it is loaded twice. Of a
 * line that is exported onoff ignores whatever goes wrong in the configuration; the caller looks at it afterwards.
 */
async function openOnoffLine(number: number): Promise<Line> {
  const { Gpio } = await import("onoff");
  return new Gpio(number, "in", "both", { activeLow: false });
}

export interface SysfsGpio extends Gpio {
  /** Takes back the export that a crash, or an output before, left behind: the character device shall have the line. */
  clear(pin: number): Promise<void>;
}

type Claim = GpioInput | GpioOutput;

class LinuxGpio implements SysfsGpio {
  readonly name: string;
  readonly #chip: GpioChip;
  readonly #files: LinuxFiles;
  readonly #clock: Pick<Clock, "monoMs" | "sleep">;
  readonly #openLine: OpenLine;
  readonly #claims: PinClaims<Claim>;
  /** Outputs that we gave back, and that still hold their level. */
  readonly #held = new Set<number>();

  constructor(chip: GpioChip, files: LinuxFiles, clock: Pick<Clock, "monoMs" | "sleep">, openLine: OpenLine) {
    this.name = chip.label;
    this.#chip = chip;
    this.#claims = new PinClaims(chip.label, chip.lines);
    this.#files = files;
    this.#clock = clock;
    this.#openLine = openLine;
  }

  async input(pin: number): Promise<GpioInput> {
    return await this.#claim(pin, async (number) => {
      if (this.#held.delete(pin)) await unexport(this.#files, number);
      return await this.#open(pin, number);
    });
  }

  async output(pin: number, initial: Level): Promise<GpioOutput> {
    return await this.#claim(pin, async (number) => {
      await exportOutput(this.#files, this.#clock, { number, pin, initial });
      return new SysfsOutput({ pin, number }, this.#files, () => {
        this.#held.add(pin);
        this.#claims.release(pin);
      });
    });
  }

  async clear(pin: number): Promise<void> {
    const number = this.#chip.base + pin;
    this.#claims.refuseClaimed(pin);
    if (this.#held.delete(pin)) await unexport(this.#files, number);
    else await unexportInput(this.#files, number, pin);
  }

  #claim<T extends Claim>(pin: number, open: (number: number) => Promise<T>): Promise<T> {
    return this.#claims.claim(pin, () => open(this.#chip.base + pin));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#claims[Symbol.asyncDispose]();
  }

  async #open(pin: number, number: number): Promise<LinuxInput> {
    await exportInput(this.#files, this.#clock, number, pin);
    try {
      const line = await this.#openLine(number);
      return await this.#checked(new LinuxInput(pin, line, this.#clock, () => this.#claims.release(pin)), number);
    } catch (error) {
      await unexport(this.#files, number);
      throw error;
    }
  }

  /** An input that hears no edges would look like a contact that never moves. */
  async #checked(input: LinuxInput, number: number): Promise<LinuxInput> {
    const edge = await this.#files.read(`${pinPath(number)}/edge`).catch(() => "unknown");
    if (edge === "both") return input;
    await input[Symbol.asyncDispose]();
    throw new GatewayError("FILE_IO", `pin ${input.pin} reports no edges: ${pinPath(number)}/edge is ${edge}`);
  }
}
