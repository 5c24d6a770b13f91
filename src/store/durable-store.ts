import type { Newest } from "../core/board.ts";
import type { Clock } from "../core/clock.ts";
import { isGatewayError, messageOf } from "../core/errors.ts";
import type { Counters } from "../core/gateway.ts";
import type { Log } from "../core/log.ts";
import type { OutboxRecord, StoredRecord } from "../core/reading.ts";
import type { BootAnchors } from "../core/timeline.ts";
import type { StoreClient } from "./database/store-client.ts";
import { DESTINATION } from "./destination.ts";
import type { DiskTier } from "./disk/disk-tier.ts";
import { SqlLedger } from "./disk/sql-ledger.ts";
import type { Faults } from "./faults.ts";
import type { Journal } from "./journal/journal.ts";
import type { JournalOutbox } from "./journal/journal-outbox.ts";
import { INSTANCE } from "./keys.ts";
import type { StoreOptions } from "./options.ts";
import type {
  LedgerEntry,
  Outbox,
  RetainedLedger,
  Store,
  StoreFault,
  StoreUsage,
  Unwritten,
  Urgency,
} from "./store.ts";
import { WearMeter, writtenBytes } from "./wear.ts";

export interface StoreParts {
  readonly options: StoreOptions;
  readonly clock: Clock;
  readonly log: Log;
  readonly client: StoreClient;
  readonly faults: Faults;
  readonly journal: Journal;
  readonly disk: DiskTier;
  readonly outbox: JournalOutbox;
  /** Retained topics that may still be there; the ledger keeps it up. */
  readonly topics: Map<string, LedgerEntry>;
}

const NOTHING: ReadonlyMap<string, Newest> = new Map();

/** The store over its two tiers. */
export class DurableStore implements Store {
  readonly ledger: RetainedLedger;
  readonly #parts: StoreParts;
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;
  readonly #wear: WearMeter;

  constructor(parts: StoreParts) {
    this.#parts = parts;
    this.#wear = new WearMeter(parts.clock, () => writtenBytes(parts.options.path));
    this.ledger = new SqlLedger(parts.disk, parts.topics);
    this.#running = parts.disk.run(this.#stop.signal);
  }

  get epoch(): number {
    return this.#parts.journal.state.epoch;
  }

  get instance(): string {
    return this.#parts.journal.small.meta.get(INSTANCE) ?? "";
  }

  get outbox(): Outbox {
    return this.#parts.outbox;
  }

  accept(record: OutboxRecord): StoredRecord | undefined {
    if (this.#stop.signal.aborted) throw new Error("the store is closed");
    const { journal, outbox, disk, options } = this.#parts;
    const stored = journal.accept(record);
    if (stored) outbox.arrived(stored.position);
    if (stored && options.commitWindowMs === 0) disk.kick();
    return stored;
  }

  newest(device: string): ReadonlyMap<string, Newest> {
    return this.#parts.journal.small.newest.get(device) ?? NOTHING;
  }

  forgetNewest(device: string): void {
    this.#parts.journal.forgetNewest(device);
  }

  devices(): string[] {
    return [...this.#parts.journal.small.newest.keys()];
  }

  counters(destination = DESTINATION): Counters {
    return this.#parts.journal.state.counters(destination);
  }

  faults(): readonly StoreFault[] {
    return this.#parts.faults.list();
  }

  acknowledgeFaults(): boolean {
    return this.#parts.faults.acknowledge();
  }

  usage(): StoreUsage {
    const { options, disk } = this.#parts;
    const oldestPendingMs = this.#oldestPendingMs();
    const { bytes } = disk.usage;
    const wear = this.#wear.now();
    return {
      path: options.path,
      bytes,
      ...(oldestPendingMs !== undefined && { oldestPendingMs }),
      ...(wear && { wear }),
    };
  }

  boots(): readonly BootAnchors[] {
    return this.#parts.journal.small.boots;
  }

  saveBoot(boot: BootAnchors): void {
    this.#parts.journal.saveBoot(boot);
  }

  getMeta(key: string): string | undefined {
    return this.#parts.journal.small.meta.get(key);
  }

  setMeta(key: string, value: string | undefined, urgency: Urgency = "eventually"): void {
    const { journal, disk, options } = this.#parts;
    journal.setMeta(key, value, urgency);
    if (urgency === "soon" && options.commitWindowMs === 0) disk.kick();
  }

  metaKeys(): Iterable<string> {
    return this.#parts.journal.small.meta.keys();
  }

  unwritten(): Unwritten {
    return this.#parts.journal.small.unwritten;
  }

  async forget(metaKeys: readonly string[], devices: readonly string[]): Promise<void> {
    const { disk, journal } = this.#parts;
    const batch = {
      meta: metaKeys.map((key) => [key, undefined] as const),
      newest: devices.map((device) => [device, undefined] as const),
    };
    // Before the next commit, which would bring back what it still finds in memory.
    await disk.write(batch, () => {
      for (const key of metaKeys) journal.setMeta(key, undefined, "soon");
      for (const device of devices) journal.forgetNewest(device);
      journal.small.written({ metaKeys, devices });
    });
  }

  tombstones(): ReadonlyMap<string, number> {
    return this.#parts.journal.small.tombstones;
  }

  async addTombstone(device: string, wallMs: number): Promise<void> {
    await this.#parts.disk.write({ tombstones: [[device, wallMs]] });
    this.#parts.journal.small.tombstones.set(device, wallMs);
  }

  async removeTombstone(device: string): Promise<void> {
    await this.#parts.disk.write({ tombstones: [[device, undefined]] });
    this.#parts.journal.small.tombstones.delete(device);
  }

  async flush(): Promise<void> {
    const { journal, disk } = this.#parts;
    const { head } = journal.state;
    while ((journal.held.oldest?.stored.position ?? Number.POSITIVE_INFINITY) <= head) await disk.commit();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#stop.signal.aborted) return;
    const { disk, journal, client, log } = this.#parts;
    this.#stop.abort();
    try {
      await this.#running;
      await disk.finish();
      journal.staging.remove();
    } catch (error) {
      if (!isGatewayError(error)) throw error;
      log.warn("the last commit failed; the staging file keeps what the disk lacks", { reason: messageOf(error) });
    } finally {
      journal.staging.close();
      await client.close();
    }
  }

  #oldestPendingMs(): number | undefined {
    const { journal, disk, clock } = this.#parts;
    const { settled, head } = journal.state;
    if (settled === head) return undefined;
    const held = journal.held.at(settled + 1)?.record.at;
    const { oldest } = disk.usage;
    const [boot, monoMs] = held ? [held.boot, held.monoMs] : [oldest?.boot, oldest?.mono0 ?? 0];
    return boot === clock.bootId() ? clock.monoMs() - monoMs : undefined;
  }
}
