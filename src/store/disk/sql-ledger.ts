import { ledgerKey } from "../keys.ts";
import { isAt, type LedgerEntry, type RetainedLedger } from "../store.ts";
import type { DiskTier } from "./disk-tier.ts";

type Row = LedgerEntry & { readonly present: boolean };

/**
 * All topics in memory, each change durable before it resolves. Changes that come while one is written share the next
 * write: a start announces dozens at once.
 */
export class SqlLedger implements RetainedLedger {
  readonly #disk: DiskTier;
  readonly #present: Map<string, LedgerEntry>;
  #queue: Row[] = [];
  #next: Promise<void> | undefined;

  constructor(disk: DiskTier, present: Map<string, LedgerEntry>) {
    this.#disk = disk;
    this.#present = present;
  }

  async add({ topic, device, broker }: LedgerEntry): Promise<void> {
    const entry = { topic, broker, ...(device !== undefined && { device }) };
    const key = ledgerKey(entry);
    const known = this.#present.get(key);
    if (known && known.device === device) return;
    await this.#write({ ...entry, present: true });
    this.#present.set(key, entry);
  }

  async topics(of: { readonly device: string | undefined } | "all"): Promise<LedgerEntry[]> {
    return [...this.#present.values()].filter((entry) => of === "all" || entry.device === of.device);
  }

  at(broker: string): readonly LedgerEntry[] {
    return [...this.#present.values()].filter((entry) => isAt(broker, entry));
  }

  async cleared(topic: string, broker: string): Promise<void> {
    for (const key of new Set([ledgerKey({ topic, broker }), ledgerKey({ topic, broker: "" })])) {
      const known = this.#present.get(key);
      if (!known) continue;
      await this.#write({ ...known, present: false });
      this.#present.delete(key);
    }
  }

  async #write(row: Row): Promise<void> {
    this.#queue.push(row);
    this.#next ??= this.#flush();
    await this.#next;
  }

  async #flush(): Promise<void> {
    await Promise.resolve();
    const ledger = this.#queue;
    this.#queue = [];
    this.#next = undefined;
    await this.#disk.write({ ledger });
  }
}
