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
  pinFault,
  pinPath,
  unexport,
  unexportInput,
} from "./gpio-sysfs.ts";

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
  readonly #claims = new Map<number, Promise<Claim>>();
  /** Outputs that we gave back, and that still hold their level. */
  readonly #held = new Set<number>();
  #closed = false;

  constructor(chip: GpioChip, files: LinuxFiles, clock: Pick<Clock, "monoMs" | "sleep">, openLine: OpenLine) {
    this.name = chip.label;
    this.#chip = chip;
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
        this.#claims.delete(pin);
      });
    });
  }

  async clear(pin: number): Promise<void> {
    const number = this.#chip.base + pin;
    if (this.#claims.has(pin)) throw new GatewayError("PIN_BUSY", `pin ${pin} is in use by another device`);
    if (this.#held.delete(pin)) await unexport(this.#files, number);
    else await unexportInput(this.#files, number, pin);
  }

  async #claim<T extends Claim>(pin: number, open: (number: number) => Promise<T>): Promise<T> {
    const { label, lines } = this.#chip;
    if (this.#closed) throw new GatewayError("CANCELLED", `${label} is closed`);
    if (!Number.isInteger(pin) || pin < 0 || pin >= lines) {
      throw new GatewayError("PIN_MISSING", `there is no pin ${pin} on ${label}: it has 0 to ${lines - 1}`);
    }
    if (this.#claims.has(pin)) throw new GatewayError("PIN_BUSY", `pin ${pin} is in use by another device`);
    const opening = open(this.#chip.base + pin);
    this.#claims.set(pin, opening);
    try {
      return await opening;
    } catch (cause) {
      this.#claims.delete(pin);
      throw pinFault(pin, cause);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    const claims = await Promise.allSettled(this.#claims.values());
    const open = claims.filter((claim) => claim.status === "fulfilled").map(({ value }) => value);
    await Promise.all(open.map((claim) => claim[Symbol.asyncDispose]()));
  }

  async #open(pin: number, number: number): Promise<LinuxInput> {
    await exportInput(this.#files, this.#clock, number, pin);
    try {
      const line = await this.#openLine(number);
      return await this.#checked(new LinuxInput(pin, line, this.#clock, () => this.#claims.delete(pin)), number);
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
