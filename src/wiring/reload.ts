import { isDeepStrictEqual } from "node:util";
import { isConfigError, placeOf } from "../config/problems.ts";
import type { Config } from "../config/schema/config.ts";
import { Secret } from "../config/secrets.ts";
import { messageOf } from "../core/errors.ts";
import type { Log } from "../core/log.ts";

export interface ReloadDeps {
  readonly log: Log;
  /** Reads the file again; rejects with a ConfigError when it is wrong. */
  load(): Promise<Config>;
  /** Takes the files that the configuration names (passwords, access rules) as they are now; rejects for a wrong one. */
  applyFiles(): Promise<void>;
  applyDevices(devices: Config["devices"]): Promise<void>;
  /** Other devices run now, and `current` names them. */
  devicesChanged(): void;
  /** More than devices changed: the gateway starts again with this configuration. */
  startAgain(config: Config): void;
}

/** Takes a changed configuration file while the gateway runs: a wrong one changes nothing. One reload at a time. */
export class Reloader {
  readonly #deps: ReloadDeps;
  #current: Config;
  #startingAgain = false;
  #queue: Promise<void> = Promise.resolve();

  constructor(current: Config, deps: ReloadDeps) {
    this.#current = current;
    this.#deps = deps;
  }

  get current(): Config {
    return this.#current;
  }

  /** Everything anew, with the configuration as it is. */
  restart(): void {
    this.#startingAgain = true;
    this.#deps.startAgain(this.#current);
  }

  /** Rejects with the ConfigError of a wrong file. */
  reload(): Promise<void> {
    const next = this.#queue.catch(() => undefined).then(() => this.#reload());
    this.#queue = next;
    return next;
  }

  /**
   * Reloads at every call of the listener that it hands to `onReload`, until the signal; then what was asked for is
   * brought to its end, for a configuration that came last must be the one to start again with.
   */
  async run(onReload: (listener: () => void) => () => void, signal: AbortSignal): Promise<void> {
    const stopListening = onReload(() => {
      this.reload().catch((error: unknown) => this.#refused(error));
    });
    await new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      else signal.addEventListener("abort", () => resolve(), { once: true });
    });
    stopListening();
    await this.#queue.catch(() => undefined);
  }

  #refused(error: unknown): void {
    const { log } = this.#deps;
    if (!isConfigError(error)) {
      log.error("reload failed: the old configuration stays", { reason: messageOf(error) });
      return;
    }
    log.error("reload refused: the new configuration is wrong, the old one stays");
    for (const problem of error.problems) {
      if (problem.severity === "error") log.error(problem.message, { at: placeOf(problem) });
    }
  }

  async #reload(): Promise<void> {
    const config = await this.#deps.load();
    if (!this.#startingAgain && sameBut("devices", this.#current, config)) {
      await this.#deps.applyFiles();
      await this.#deps.applyDevices(config.devices);
      this.#current = config;
      this.#deps.devicesChanged();
      this.#deps.log.info("configuration reloaded", { devices: config.devices.length });
    } else {
      this.#startingAgain = true;
      this.#deps.log.info("configuration reloaded: starting again with it");
      this.#deps.startAgain(config);
    }
  }
}

function sameBut(section: keyof Config, one: Config, other: Config): boolean {
  const rest = (config: Config) => revealed({ ...config, [section]: undefined });
  return isDeepStrictEqual(rest(one), rest(other));
}

/** A changed password is a change, though a secret shows its value to nobody who does not ask. */
function revealed(value: unknown): unknown {
  if (value instanceof Secret) return value.reveal();
  if (Array.isArray(value)) return value.map(revealed);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, revealed(inner)]));
}
