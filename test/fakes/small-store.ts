import type { Newest } from "../../src/core/board.ts";
import type { Unwritten } from "../../src/store/store.ts";

/** The store's small values, newest values and tombstones, in memory. */
export class SmallStore {
  readonly meta = new Map<string, string>();
  readonly newestOf = new Map<string, ReadonlyMap<string, Newest>>();
  readonly ended = new Map<string, number>();

  constructor(meta: Readonly<Record<string, string>> = {}) {
    for (const [key, value] of Object.entries(meta)) this.meta.set(key, value);
  }

  getMeta(key: string): string | undefined {
    return this.meta.get(key);
  }

  setMeta(key: string, value: string | undefined): void {
    if (value === undefined) this.meta.delete(key);
    else this.meta.set(key, value);
  }

  metaKeys(): Iterable<string> {
    return this.meta.keys();
  }

  /** A disk without delay. */
  unwritten(): Unwritten {
    return { metaKeys: [], devices: [] };
  }

  devices(): string[] {
    return [...this.newestOf.keys()];
  }

  newest(device: string): ReadonlyMap<string, Newest> {
    return this.newestOf.get(device) ?? new Map();
  }

  forgetNewest(device: string): void {
    this.newestOf.delete(device);
  }

  tombstones(): ReadonlyMap<string, number> {
    return this.ended;
  }

  async forget(metaKeys: readonly string[], devices: readonly string[]): Promise<void> {
    for (const key of metaKeys) this.meta.delete(key);
    for (const device of devices) this.newestOf.delete(device);
  }
}
