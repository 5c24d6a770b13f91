import type { Newest } from "../core/board.ts";
import type { Counters } from "../core/gateway.ts";
import type { OutboxRecord, StoredRecord } from "../core/reading.ts";
import type { BootAnchors } from "../core/timeline.ts";
import type { Gap } from "./gaps.ts";
import type { Wear } from "./wear.ts";

/** Everything that outlives the process. Opened once; the worker thread behind it is the only one that touches SQLite. */
export interface Store extends AsyncDisposable {
  /** This run's epoch; `seq` runs 1, 2, 3 … within it (over several runs, if each of them ended with its staging intact). */
  readonly epoch: number;
  /** Stable per installation. */
  readonly instance: string;

  /**
   * Takes a record: staged (safe against the death of the process) when this returns, on the disk within the commit
   * window unless it was delivered before. Never waits. Undefined when the policy refused it; that is counted.
   */
  accept(record: OutboxRecord): StoredRecord | undefined;

  readonly outbox: Outbox;
  readonly ledger: RetainedLedger;

  /** The newest value of each channel of a device, as far as it was kept over the last stop. */
  newest(device: string): ReadonlyMap<string, Newest>;
  forgetNewest(device: string): void;
  /** Those that have newest values. */
  devices(): string[];

  /** Of the broker, or of a consumer since it was named. */
  counters(destination?: string): Counters;
  /** Faults that the operator should know of; empty when all is well. */
  faults(): readonly StoreFault[];
  /** Those of what is over (a database that was moved aside) are not told of any more. Was there one? */
  acknowledgeFaults(): boolean;
  usage(): StoreUsage;

  /** Boots with their clock anchors, oldest first; the current one is last. */
  boots(): readonly BootAnchors[];
  saveBoot(boot: BootAnchors): void;

  /** Small values that parts keep for themselves: the gateway's frozen id, a driver's baseline. Written in batches. */
  getMeta(key: string): string | undefined;
  /** Undefined removes it. */
  setMeta(key: string, value: string | undefined, urgency?: Urgency): void;
  metaKeys(): Iterable<string>;
  /** What changed and is not on the disk yet: small values, and devices' newest ones. What was removed is among it. */
  unwritten(): Unwritten;
  /** Removes small values, and devices' newest ones; from the disk, too, when it resolves. Rejects with STORE_FULL or STORE_IO. */
  forget(metaKeys: readonly string[], devices: readonly string[]): Promise<void>;

  /** Devices that were decommissioned, with the wall time of it (milliseconds). */
  tombstones(): ReadonlyMap<string, number>;
  addTombstone(device: string, wallMs: number): Promise<void>;
  removeTombstone(device: string): Promise<void>;

  /** Resolves once everything accepted so far is on the disk or acknowledged. Rejects with STORE_FULL or STORE_IO. */
  flush(): Promise<void>;
}

/**
 * What a power cut may cost of a small value: what changed within the commit window (`soon`: an output's state, a pulse
 * total), or within half an hour (`eventually`: what is learnt again by itself). Either survives the process at once.
 */
export type Urgency = "soon" | "eventually";

/**
 * What waits for delivery, in order. Each destination has a cursor and counters of its own: `mqtt`, the broker, which is
 * always there, and the consumers. A record leaves the store once every destination is past it.
 */
export interface Outbox {
  /** Names, `mqtt` first. */
  readonly destinations: readonly string[];
  /**
   * Makes these the destinations beside `mqtt`. A new one begins with what `mqtt` still has to get; of one that is no
   * longer named everything is forgotten.
   */
  setConsumers(consumers: readonly string[]): void;
  /** Position of the newest record; 0 when there never was one. */
  readonly head: number;
  /** Everything up to this position is acknowledged or set aside. */
  cursor(destination: string): number;
  /** Where a reading is; undefined for one that was never given out. */
  position(epoch: number, seq: number): number | undefined;
  /** The highest `seq` of an epoch so far, 0 for none yet; undefined for an epoch that is not known (any more). */
  lastSeq(epoch: number): number | undefined;
  /**
   * At most `limit` records after `position` that the destination waits for, in order: from memory where they still are, else from the disk. What cannot
   * be read there is dropped and counted. Rejects with STORE_IO while the disk does not answer.
   */
  after(position: number, limit: number, destination?: string): Promise<StoredRecord[]>;
  /** Resolves as soon as there is a record after `position`; rejects with the signal's reason. */
  arrival(position: number, signal: AbortSignal, destination?: string): Promise<void>;
  /** What is still held of an epoch's readings `from` to `to`, delivered or not, in order; at most `limit`. */
  range(epoch: number, from: number, to: number, limit: number): Promise<StoredRecord[]>;
  /** The destination has everything up to `position`. `unheard`: how many of those nobody was subscribed to. */
  acknowledge(destination: string, position: number, unheard?: number): void;
  /** Takes one record out of the way for good, kept with its reason for the operator. */
  setAside(destination: string, record: StoredRecord, reason: string): void;
  /** What will not come, and nobody was told of yet, oldest first. At most 1000: neighbours of one kind are one gap. */
  gaps(): readonly Gap[];
  /** A gap was published. One that grew meanwhile stays, to be published again as a whole. */
  acknowledgeGap(gap: Gap): void;
  /** How many readings of one device the broker still has to get. */
  waiting(device: string): Promise<number>;
  /** Drops what waits of one device, or of all (`undefined`), everywhere, counted under `reason`. */
  discard(device: string | undefined, reason: string): Promise<void>;
}

export interface Unwritten {
  readonly metaKeys: readonly string[];
  readonly devices: readonly string[];
}

/** Every topic that this gateway ever published retained, at which broker, whose it is, and whether it is still there. */
export interface RetainedLedger {
  /**
   * Resolves when the topic is recorded on the disk; at once for a topic that already is. Call before publishing. Rejects
   * with STORE_FULL or STORE_IO; may be called again.
   */
  add(entry: LedgerEntry): Promise<void>;
  /** Topics that may still be there: of one device, of the gateway itself (`undefined`), or of all, at whatever broker. */
  topics(of: { readonly device: string | undefined } | "all"): Promise<LedgerEntry[]>;
  /** All that may be at one broker. */
  at(broker: string): readonly LedgerEntry[];
  /** Resolves when it is recorded that the topic was seen to be gone from this broker. */
  cleared(topic: string, broker: string): Promise<void>;
}

export interface LedgerEntry {
  readonly topic: string;
  readonly device?: string;
  /** The broker's identity. Empty in entries of a time that kept no account of it: then it may be any. */
  readonly broker: string;
}

/** May this topic be at this broker? */
export function isAt(broker: string, entry: LedgerEntry): boolean {
  return entry.broker === broker || entry.broker === "";
}

export interface StoreFault {
  readonly code: string;
  readonly message: string;
}

export interface StoreUsage {
  readonly path: string;
  readonly bytes: number;
  /** Monotonic age of the oldest record that is not delivered, milliseconds; absent when there is none of this boot. */
  readonly oldestPendingMs?: number;
  /** Absent in the first minute, and where the kernel does not tell. */
  readonly wear?: Wear;
}
