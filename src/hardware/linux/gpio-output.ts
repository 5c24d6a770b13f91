import { GatewayError } from "../../core/errors.ts";
import type { FileWrite } from "../files.ts";
import type { GpioOutput, Level } from "../gpio.ts";
import type { LinuxFiles } from "./files.ts";
import { pinFault, pinPath } from "./gpio-sysfs.ts";

/** A line that is exported as output. It stays so when it is released: its level is to outlive this process. */
export class SysfsOutput implements GpioOutput {
  readonly pin: number;
  readonly #files: LinuxFiles;
  readonly #value: string;
  readonly #release: () => void;
  #isReleased = false;

  constructor(line: { pin: number; number: number }, files: LinuxFiles, release: () => void) {
    this.pin = line.pin;
    this.#files = files;
    this.#value = `${pinPath(line.number)}/value`;
    this.#release = release;
  }

  async set(level: Level): Promise<void> {
    await this.#use(() => this.#files.write(this.#value, String(level)));
  }

  async level(): Promise<Level> {
    return (await this.#use(() => this.#files.read(this.#value))) === "1" ? 1 : 0;
  }

  byFile(level: Level): FileWrite {
    return { path: this.#value, text: String(level) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isReleased) return;
    this.#isReleased = true;
    this.#release();
  }

  async #use<T>(access: () => Promise<T>): Promise<T> {
    if (this.#isReleased) throw new GatewayError("CANCELLED", `pin ${this.pin} was given back`);
    try {
      return await access();
    } catch (cause) {
      throw pinFault(this.pin, cause);
    }
  }
}
