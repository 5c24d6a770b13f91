import type { Newest } from "../../core/board.ts";
import type { Reading } from "../../core/reading.ts";
import type { BootAnchors } from "../../core/timeline.ts";
import type { Batch, Loaded } from "../database/store-calls.ts";
import type { Unwritten } from "../store.ts";
import type { StagingHeader } from "./staging.ts";

export type Changes = Required<Pick<Batch, "meta" | "boots" | "newest">>;

/** The store's small values, all in memory, and which of them the disk does not have yet. */
export class SmallState {
  readonly meta: Map<string, string>;
  readonly newest: Map<string, Map<string, Newest>>;
  readonly tombstones: Map<string, number>;
  #boots: readonly BootAnchors[];
  #anchorDue = false;
  #urgentSinceMs: number | undefined;
  readonly #dirty = { meta: new Set<string>(), boots: new Set<string>(), newest: new Set<string>() };

  constructor(loaded: Loaded) {
    this.meta = new Map(loaded.meta);
    this.newest = new Map(loaded.newest.map(([device, channels]) => [device, new Map(JSON.parse(channels))]));
    this.tombstones = new Map(loaded.tombstones);
    this.#boots = loaded.boots;
  }

  get boots(): readonly BootAnchors[] {
    return this.#boots;
  }

  /** Is there something that must be written soon, the newest values apart? */
  get dirty(): boolean {
    return this.#dirty.meta.size > 0 || this.#dirty.boots.size > 0;
  }

  /**
   * Was a boot's first anchor noted, or one at a step, that the disk does not have? Readings go out with the time that it
   * tells, and must have the same one when they are sent again after a power cut.
   */
  get anchorDue(): boolean {
    return this.#anchorDue;
  }

  /** Since when something waits that the disk must have within the commit window. */
  get urgentSinceMs(): number | undefined {
    return this.#urgentSinceMs;
  }

  hurry(monoMs: number): void {
    this.#urgentSinceMs ??= monoMs;
  }

  setMeta(key: string, value: string | undefined): void {
    if (value === undefined) this.meta.delete(key);
    else this.meta.set(key, value);
    this.#dirty.meta.add(key);
  }

  saveBoot(boot: BootAnchors): void {
    const known = this.#boots.find((candidate) => candidate.boot === boot.boot);
    if (boot.anchors.length > 0 && (!known?.anchors.length || boot.anchors.at(-1)?.step)) this.#anchorDue = true;
    this.#boots = known
      ? this.#boots.map((candidate) => (candidate.boot === boot.boot ? boot : candidate))
      : [...this.#boots, boot];
    this.#dirty.boots.add(boot.boot);
  }

  setNewest(reading: Reading): void {
    let channels = this.newest.get(reading.device);
    if (!channels) {
      channels = new Map();
      this.newest.set(reading.device, channels);
    }
    for (const [key, value] of Object.entries(reading.values)) {
      const quality = reading.quality?.[key];
      channels.set(key, quality ? { value, quality, at: reading.at } : { value, at: reading.at });
    }
    this.#dirty.newest.add(reading.device);
  }

  forgetNewest(device: string): void {
    this.newest.delete(device);
    this.#dirty.newest.add(device);
  }

  get unwritten(): Unwritten {
    return { metaKeys: [...this.#dirty.meta], devices: [...this.#dirty.newest] };
  }

  /** The disk has these as they are now. */
  written({ metaKeys, devices }: Unwritten): void {
    for (const key of metaKeys) this.#dirty.meta.delete(key);
    for (const device of devices) this.#dirty.newest.delete(device);
  }

  /** What the disk lacks, from now on taken as written; `putBack` when it was not. */
  takeChanges(withNewest: boolean): Changes {
    const changes = {
      meta: [...this.#dirty.meta].map((key) => [key, this.meta.get(key)] as const),
      boots: this.#boots.filter(({ boot }) => this.#dirty.boots.has(boot)),
      newest: withNewest ? [...this.#dirty.newest].map((device) => [device, this.#channels(device)] as const) : [],
    };
    this.#urgentSinceMs = undefined;
    this.#dirty.meta.clear();
    this.#dirty.boots.clear();
    this.#anchorDue = false;
    if (withNewest) this.#dirty.newest.clear();
    return changes;
  }

  putBack({ meta, boots, newest }: Changes): void {
    // What failed is tried again soon, and one of them may have been urgent.
    if (meta.length > 0) this.#urgentSinceMs ??= Number.NEGATIVE_INFINITY;
    for (const [key] of meta) this.#dirty.meta.add(key);
    for (const { boot } of boots) this.#dirty.boots.add(boot);
    this.#anchorDue ||= boots.some(({ anchors }) => anchors.length > 0);
    for (const [device] of newest) this.#dirty.newest.add(device);
  }

  /** For a fresh database: everything is unwritten. */
  soilAll(): void {
    for (const key of this.meta.keys()) this.#dirty.meta.add(key);
    for (const { boot } of this.#boots) this.#dirty.boots.add(boot);
    for (const device of this.newest.keys()) this.#dirty.newest.add(device);
  }

  /** The unwritten part, for the head of the staging file. */
  staged(): Pick<StagingHeader, "meta" | "boots" | "newest"> {
    return {
      meta: [...this.#dirty.meta].map((key) => [key, this.meta.get(key) ?? null] as const),
      boots: this.#boots.filter(({ boot }) => this.#dirty.boots.has(boot)),
      newest: [...this.#dirty.newest].map((device) => [device, [...(this.newest.get(device) ?? [])]] as const),
    };
  }

  /** Takes back what `staged` gave. */
  unstage({ meta, boots, newest }: Pick<StagingHeader, "meta" | "boots" | "newest">): void {
    for (const [key, value] of meta) this.setMeta(key, value ?? undefined);
    for (const boot of boots) this.saveBoot(boot);
    for (const [device, channels] of newest) {
      if (channels.length === 0) this.newest.delete(device);
      else this.newest.set(device, new Map(channels));
      this.#dirty.newest.add(device);
    }
  }

  #channels(device: string): string | undefined {
    const channels = this.newest.get(device);
    return channels && JSON.stringify([...channels]);
  }
}
