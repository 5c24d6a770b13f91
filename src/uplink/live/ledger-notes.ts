import type { LedgerEntry, RetainedLedger } from "../../store/store.ts";

/** Enters topics into the ledger before they are published, until the connection is over. */
export class LedgerNotes {
  readonly #ledger: Pick<RetainedLedger, "add">;
  readonly #entering = new Set<Promise<void>>();
  #isOver = false;

  constructor(ledger: Pick<RetainedLedger, "add">) {
    this.#ledger = ledger;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  async add(entry: LedgerEntry): Promise<void> {
    const entering = this.#ledger.add(entry);
    this.#entering.add(entering);
    try {
      await entering;
    } finally {
      this.#entering.delete(entering);
    }
  }

  /** Resolves when the ledger is left alone: who clears it afterwards must not miss what was announced a moment ago. */
  async over(): Promise<void> {
    this.#isOver = true;
    await Promise.allSettled(this.#entering);
  }
}
