import type { Clock } from "../../src/core/clock.ts";
import type { Counters } from "../../src/core/gateway.ts";
import type { OutboxRecord, StoredRecord } from "../../src/core/reading.ts";
import type { BootAnchors } from "../../src/core/timeline.ts";
import type { Gap } from "../../src/store/gaps.ts";
import type { LedgerEntry, Outbox, RetainedLedger, StoreFault, StoreUsage } from "../../src/store/store.ts";

/** The store's outbox and ledger in memory: everything is durable at once and nothing is ever full. */
export class MemoryStore {
  readonly epoch: number;
  readonly outbox: MemoryOutbox = new MemoryOutbox();
  readonly ledger: MemoryLedger = new MemoryLedger();
  anchors: readonly BootAnchors[] = [];
  faultList: readonly StoreFault[] = [];

  constructor(epoch = 1) {
    this.epoch = epoch;
  }

  accept(record: OutboxRecord): StoredRecord {
    return this.outbox.append(this.epoch, record);
  }

  /** The clock of this boot is known to be right from now on. */
  anchor(clock: Clock): void {
    const monoMs = clock.monoMs();
    this.anchors = [{ boot: clock.bootId(), anchors: [{ monoMs, offsetMs: clock.wallMs() - monoMs }] }];
  }

  boots(): readonly BootAnchors[] {
    return this.anchors;
  }

  counters(destination = "mqtt"): Counters {
    return this.outbox.counters(destination);
  }

  faults(): readonly StoreFault[] {
    return this.faultList;
  }

  usage(): StoreUsage {
    return { path: ":memory:", bytes: 0 };
  }
}

interface Consumer {
  cursor: number;
  unheard: number;
}

class MemoryOutbox implements Outbox {
  readonly records: StoredRecord[] = [];
  readonly aside: { readonly record: StoredRecord; readonly reason: string }[] = [];
  gapList: readonly Gap[] = [];
  readonly #consumers = new Map<string, Consumer>([["mqtt", { cursor: 0, unheard: 0 }]]);
  #waiting: (() => void)[] = [];

  get head(): number {
    return this.records.length;
  }

  get destinations(): readonly string[] {
    return [...this.#consumers.keys()];
  }

  setConsumers(names: readonly string[]): void {
    const known = [...this.#consumers.keys()].filter((name) => name !== "mqtt");
    for (const name of known) if (!names.includes(name)) this.#consumers.delete(name);
    for (const name of names) {
      if (!this.#consumers.has(name)) this.#consumers.set(name, { cursor: this.cursor(), unheard: 0 });
    }
  }

  append(epoch: number, record: OutboxRecord): StoredRecord {
    const position = this.records.length + 1;
    const stored = { position, epoch, seq: position, record };
    this.records.push(stored);
    for (const wake of this.#waiting.splice(0)) wake();
    return stored;
  }

  cursor(destination = "mqtt"): number {
    return this.#consumer(destination).cursor;
  }

  position(epoch: number, seq: number): number | undefined {
    return this.records.find((stored) => stored.epoch === epoch && stored.seq === seq)?.position;
  }

  lastSeq(epoch: number): number | undefined {
    return this.records.findLast((stored) => stored.epoch === epoch)?.seq;
  }

  async after(position: number, limit: number): Promise<StoredRecord[]> {
    return this.records.slice(position, position + limit);
  }

  async range(epoch: number, from: number, to: number, limit: number): Promise<StoredRecord[]> {
    return this.records
      .filter((stored) => stored.epoch === epoch && stored.seq >= from && stored.seq <= to)
      .slice(0, limit);
  }

  arrival(position: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.reject(signal.reason);
    if (this.head > position) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.#waiting.push(resolve);
      signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    });
  }

  acknowledge(destination: string, position: number, unheard = 0): void {
    const consumer = this.#consumer(destination);
    if (position < consumer.cursor) throw new Error(`the cursor went back from ${consumer.cursor} to ${position}`);
    consumer.cursor = position;
    consumer.unheard += unheard;
  }

  setAside(destination: string, record: StoredRecord, reason: string): void {
    if (destination === "mqtt") this.aside.push({ record, reason });
  }

  gaps(): readonly Gap[] {
    return this.gapList;
  }

  async waiting(device: string): Promise<number> {
    return this.records.slice(this.cursor()).filter(({ record }) => record.device === device).length;
  }

  async discard(device: string | undefined, reason: string): Promise<void> {
    for (const record of this.records.slice(this.cursor())) {
      if (device === undefined || record.record.device === device) this.setAside("mqtt", record, reason);
    }
  }

  acknowledgeGap(gap: Gap): void {
    this.gapList = this.gapList.filter((one) => one !== gap);
  }

  counters(destination = "mqtt"): Counters {
    const dropped: Record<string, number> = {};
    for (const { reason } of this.aside) dropped[reason] = (dropped[reason] ?? 0) + 1;
    const { cursor, unheard } = this.#consumer(destination);
    const pending = this.head - cursor;
    const delivered = cursor - this.aside.length;
    return { sampled: this.head, delivered, unheard, pending, dropped };
  }

  #consumer(name: string): Consumer {
    const consumer = this.#consumers.get(name);
    if (!consumer) throw new Error(`no destination ${name}`);
    return consumer;
  }
}

class MemoryLedger implements RetainedLedger {
  readonly entries = new Map<string, LedgerEntry>();

  async add(entry: LedgerEntry): Promise<void> {
    this.entries.set(entry.topic, entry);
  }

  async topics(of: { readonly device: string | undefined } | "all"): Promise<LedgerEntry[]> {
    return [...this.entries.values()].filter((entry) => of === "all" || entry.device === of.device);
  }

  at(): readonly LedgerEntry[] {
    return [...this.entries.values()];
  }

  async cleared(topic: string): Promise<void> {
    this.entries.delete(topic);
  }
}
