import type { Clock } from "../../core/clock.ts";
import type { OutboxRecord, StoredRecord } from "../../core/reading.ts";
import type { BootAnchors } from "../../core/timeline.ts";
import type { DeadRow } from "../database/store-calls.ts";
import { DESTINATION } from "../destination.ts";
import type { Gap } from "../gaps.ts";
import { INSTANCE } from "../keys.ts";
import { DEFAULT_MAX_HELD_BYTES, type StoreOptions } from "../options.ts";
import type { Urgency } from "../store.ts";
import { encodeFrame } from "./frames.ts";
import { HeldRecords } from "./held-records.ts";
import type { OutboxEvent, OutboxState, Span } from "./outbox-state.ts";
import type { Recovered } from "./recover.ts";
import type { SmallState } from "./small-state.ts";
import { STAGING_FORMAT, type StagedEvent, type Staging } from "./staging.ts";

/** A record larger than this is a mistake somewhere; it would also be more than brokers take. */
const MAX_RECORD_BYTES = 256 * 1024;
/** How much of the staging file may be outdated before it is written anew. */
const STAGING_SLACK_BYTES = 256 * 1024;

type SetAside = OutboxEvent & { readonly kind: "setAside" };

/**
 * The first tier: memory and the staging file, always in step, never waiting. Each change is one event, staged and then
 * applied.
 */
export class Journal {
  readonly state: OutboxState;
  readonly small: SmallState;
  readonly held = new HeldRecords();
  readonly staging: Staging;
  /** Why the disk takes no more, where it does not (kept by the disk tier). */
  full: string | undefined;
  /** The epoch may come to have another number, so nothing may be delivered under it. */
  provisional = false;
  /** Set aside, and not on the disk yet. */
  #setAside: SetAside[];
  readonly #options: StoreOptions;
  readonly #clock: Clock;

  constructor(recovered: Recovered, small: SmallState, staging: Staging, options: StoreOptions, clock: Clock) {
    this.state = recovered.state;
    this.small = small;
    this.staging = staging;
    this.#setAside = [...recovered.setAside];
    this.#options = options;
    this.#clock = clock;
    for (const stored of recovered.held)
      this.#hold(stored, encodeFrame(stored.record).length, Number.NEGATIVE_INFINITY);
    this.rewriteStaging();
  }

  get maxHeldBytes(): number {
    return this.#options.maxHeldBytes ?? DEFAULT_MAX_HELD_BYTES;
  }

  accept(record: OutboxRecord): StoredRecord | undefined {
    const position = this.state.head + 1;
    const event: OutboxEvent = { kind: "take", position, record };
    const frame = encodeFrame(event);
    const refusal = this.#refusal(frame.length);
    if (refusal) {
      this.emit({ kind: "refuse", reason: refusal, at: record.at });
      return undefined;
    }
    this.staging.append(frame);
    this.state.apply(event);
    this.small.setNewest(record);
    const stored = { position, epoch: this.state.epoch, seq: position - this.state.base, record };
    this.#hold(stored, frame.length, this.#clock.monoMs());
    this.#dropOldestHeld();
    return stored;
  }

  acknowledge(destination: string, position: number, unheard: number): void {
    if (position <= this.state.destination(destination).cursor) return;
    this.emit({ kind: "acknowledge", destination, position: Math.min(position, this.state.head), unheard });
    this.held.removeUpTo(this.state.settled);
  }

  setAside(destination: string, stored: StoredRecord, reason: string): void {
    if (!this.state.destination(destination).live.has(stored.position)) return;
    const event: SetAside = { kind: "setAside", destination, stored, reason };
    this.emit(event);
    if (!this.state.isWanted(stored.position)) this.held.remove(stored.position);
    this.#setAside.push(event);
  }

  /** Drops whatever is left of a range of positions. */
  drop(from: number, to: number, reason: string, { since, until }: Span = {}): void {
    this.emit({ kind: "drop", from, to, reason, ...(since && { since }), ...(until && { until }) });
    this.held.removeUpTo(Math.min(to, this.state.settled));
  }

  /** Drops one record for everybody. */
  discard({ position, record }: StoredRecord, reason: string): void {
    this.emit({ kind: "drop", from: position, to: position, reason, since: record.at, until: record.at });
    this.held.remove(position);
  }

  /** The broker stays; the others are those of `consumers` from now on. */
  setConsumers(consumers: readonly string[]): void {
    const known = this.state.destinations.map(({ name }) => name);
    const wanted = [DESTINATION, ...consumers];
    for (const destination of known) if (!wanted.includes(destination)) this.emit({ kind: "leave", destination });
    for (const destination of wanted) if (!known.includes(destination)) this.emit({ kind: "join", destination });
    this.held.removeUpTo(this.state.settled);
  }

  acknowledgeGap(gap: Gap): void {
    this.emit({ kind: "told", gap });
  }

  setMeta(key: string, value: string | undefined, urgency: Urgency): void {
    if (this.small.meta.get(key) === value) return;
    if (urgency === "soon") this.small.hurry(this.#clock.monoMs());
    this.#stage({ kind: "meta", key, ...(value !== undefined && { value }) });
    this.small.setMeta(key, value);
  }

  saveBoot(boot: BootAnchors): void {
    this.#stage({ kind: "boot", boot });
    this.small.saveBoot(boot);
  }

  forgetNewest(device: string): void {
    if (!this.small.newest.has(device)) return;
    this.#stage({ kind: "forget", device });
    this.small.forgetNewest(device);
  }

  get hasDead(): boolean {
    return this.#setAside.length > 0;
  }

  /** What was set aside, for the disk; `putBackDead` when it could not be written. */
  takeDead(): SetAside[] {
    const taken = this.#setAside;
    this.#setAside = [];
    return taken;
  }

  putBackDead(taken: readonly SetAside[]): void {
    this.#setAside = [...taken, ...this.#setAside];
  }

  /** Gives the current epoch another number; what was accepted under it is renamed. */
  renumber(epoch: number): void {
    const { epoch: old } = this.state;
    if (epoch === old) return;
    this.emit({ kind: "renumber", epoch });
    this.held.renumber(old, epoch);
  }

  emit(event: OutboxEvent): void {
    this.#stage(event);
    this.state.apply(event);
  }

  compactStagingIfDue(): void {
    const outdated = this.staging.bytes - this.held.bytes;
    if (outdated > STAGING_SLACK_BYTES + this.held.bytes || this.staging.failure) this.rewriteStaging();
  }

  /** The staging file anew: how things stand, and the records that nothing else keeps. */
  rewriteStaging(): void {
    const header = {
      ...this.state.snapshot(),
      ...this.small.staged(),
      format: STAGING_FORMAT,
      instance: this.small.meta.get(INSTANCE) ?? "",
      boot: this.#clock.bootId(),
    } as const;
    const takes = this.held
      .oldestWithin(Number.POSITIVE_INFINITY)
      .map(({ position, record }) => ({ kind: "take", position, record }) as const);
    this.staging.rewrite(header, [...this.#setAside, ...takes]);
  }

  #stage(event: StagedEvent): void {
    this.staging.append(encodeFrame(event));
  }

  #hold(stored: StoredRecord, bytes: number, acceptedMonoMs: number): void {
    this.held.push({ stored, bytes, acceptedMonoMs });
  }

  #refusal(bytes: number): string | undefined {
    if (bytes > MAX_RECORD_BYTES) return "too_large";
    if (this.#options.whenFull === "drop_oldest") return undefined;
    if (this.full) return this.full;
    return this.held.bytes + bytes > this.maxHeldBytes ? "memory_full" : undefined;
  }

  #dropOldestHeld(): void {
    for (let oldest = this.held.oldest; oldest && this.held.bytes > this.maxHeldBytes; oldest = this.held.oldest) {
      const { position, record } = oldest.stored;
      const span = { since: record.at, until: record.at };
      this.emit({ kind: "drop", from: position, to: position, reason: "memory_full", ...span });
      this.held.removeUpTo(position);
    }
  }
}

export function deadRow({ destination, stored, reason }: SetAside): DeadRow {
  const { position, epoch, seq, record } = stored;
  return { position, destination, epoch, seq, reason, payload: JSON.stringify(record) };
}
