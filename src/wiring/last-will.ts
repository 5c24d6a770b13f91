import { renameSync, rmSync, writeFileSync } from "node:fs";
import { messageOf } from "../core/errors.ts";
import type { Log } from "../core/log.ts";
import { type AfterDeath, isOutput } from "../drivers/driver.ts";
import { type DeviceAddress, SIMULATED_BUS } from "./open-device.ts";

/** Has the device outputs that something real hangs on? */
export function hasRealOutputs({ driver, bus, options }: DeviceAddress): boolean {
  return isOutput(driver, options) && bus !== SIMULATED_BUS;
}

/** Has the device outputs that are to be safe while nobody runs? */
export function isSafeAtStop(device: DeviceAddress): boolean {
  return hasRealOutputs(device) && device.options.at_stop === "safe";
}

/**
 * What makes the outputs safe when this process is dead, in a file for the unit's stop hook: a shell drives them within
 * milliseconds from it, where a program of Node's takes seconds to load. A line each: `PATH TEXT` to write, or `open ID`.
 */
export class LastWill {
  readonly #file: string;
  readonly #log: Pick<Log, "warn">;
  readonly #todo = new Map<string, AfterDeath>();

  /** One that an earlier process left says nothing of this configuration. */
  constructor(file: string, log: Pick<Log, "warn">) {
    this.#file = file;
    this.#log = log;
    rmSync(file, { force: true });
  }

  /** Written before the output can be driven anywhere. */
  set(device: string, todo: AfterDeath): void {
    if (todo === "nothing") this.#todo.delete(device);
    else this.#todo.set(device, todo);
    this.save();
  }

  /** Without a file the hook has to find out for itself what there is to do. Renamed: never half a list. */
  save(): void {
    const lines = [...this.#todo].map(([id, todo]) =>
      typeof todo === "object" ? `${todo.path} ${todo.text}\n` : `${todo} ${id}\n`,
    );
    try {
      writeFileSync(`${this.#file}.new`, lines.join(""));
      renameSync(`${this.#file}.new`, this.#file);
    } catch (error) {
      // /run may be full. One of before would be wrong; none is only slow.
      rmSync(this.#file, { force: true });
      const what = "what makes the outputs safe after a crash could not be written: it will take seconds longer";
      this.#log.warn(what, { file: this.#file, reason: messageOf(error) });
    }
  }
}
