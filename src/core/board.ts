import type { DeviceHealth, DeviceInfo } from "./device.ts";
import type { Quality, Reading, Stamp, Value } from "./reading.ts";

/** The newest value of one channel. */
export interface Newest {
  readonly value: Value;
  readonly quality?: Quality;
  readonly at: Stamp;
}

/** A device as it stands now. */
export interface DeviceNow {
  readonly info: DeviceInfo;
  readonly health: DeviceHealth;
  /** Channel key -> newest value; only channels that the device still has. */
  readonly newest: ReadonlyMap<string, Newest>;
}

export type BoardChange = { readonly device: string; readonly what: "info" | "health" | "values" | "removed" };

/**
 * What is true now: each device, its health and its newest values. Samplers write it, the uplink's live plane, the
 * control socket and the dashboard read it. In memory; the store keeps what must outlive the process.
 */
export class Board {
  readonly #devices = new Map<string, { info: DeviceInfo; health: DeviceHealth; newest: Map<string, Newest> }>();
  readonly #listeners = new Set<(change: BoardChange) => void>();

  add(info: DeviceInfo, health: DeviceHealth, newest: ReadonlyMap<string, Newest> = new Map()): void {
    this.#devices.set(info.id, { info, health, newest: new Map(newest) });
    this.#tell({ device: info.id, what: "info" });
  }

  remove(device: string): void {
    if (this.#devices.delete(device)) this.#tell({ device, what: "removed" });
  }

  /** Nobody is told of an opening that found what was there before. */
  setInfo(info: DeviceInfo): void {
    const entry = this.#entry(info.id);
    if (JSON.stringify(info) === JSON.stringify(entry.info)) return;
    entry.info = info;
    const keys = new Set(info.channels.map((channel) => channel.key));
    for (const key of entry.newest.keys()) if (!keys.has(key)) entry.newest.delete(key);
    this.#tell({ device: info.id, what: "info" });
  }

  setHealth(device: string, health: DeviceHealth): void {
    const entry = this.#entry(device);
    const told = entry.health.online !== health.online || entry.health.state !== health.state;
    entry.health = health;
    if (told) this.#tell({ device, what: "health" });
  }

  setValues(reading: Reading): void {
    const { newest } = this.#entry(reading.device);
    for (const [key, value] of Object.entries(reading.values)) {
      const quality = reading.quality?.[key];
      newest.set(key, { value, at: reading.at, ...(quality && { quality }) });
    }
    this.#tell({ device: reading.device, what: "values" });
  }

  /** A value that is no longer true, though nothing takes its place. */
  forget(device: string, channel: string): void {
    if (this.#entry(device).newest.delete(channel)) this.#tell({ device, what: "values" });
  }

  get(device: string): DeviceNow | undefined {
    return this.#devices.get(device);
  }

  all(): DeviceNow[] {
    return [...this.#devices.values()];
  }

  /** Calls `listener` after each change, until the returned function is called. Listeners must not throw. */
  onChange(listener: (change: BoardChange) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #entry(device: string) {
    const entry = this.#devices.get(device);
    if (!entry) throw new Error(`no device ${device} on the board`);
    return entry;
  }

  #tell(change: BoardChange): void {
    for (const listener of this.#listeners) listener(change);
  }
}
