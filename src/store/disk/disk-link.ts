import type { Clock } from "../../core/clock.ts";
import { GatewayError, isGatewayError } from "../../core/errors.ts";
import type { StoreCalls } from "../database/store-calls.ts";
import type { StoreClient } from "../database/store-client.ts";
import type { Faults } from "../faults.ts";
import type { Range } from "../live-ranges.ts";

const RETRY_MS = 5_000;

export interface LinkParts {
  readonly client: StoreClient;
  readonly faults: Faults;
  readonly clock: Clock;
  /** Up to which position nobody waits for anything. */
  settled(): number;
  /** A fresh database is in the place of a damaged one; it has the records at `ranges`. */
  replaced(ranges: readonly Range[]): void;
}

/** Calls to the worker: what the disk says becomes a fault, and a damaged database is replaced. */
export class DiskLink {
  readonly #parts: LinkParts;
  /** Counts the databases, so that two calls that met the same damage replace it once. */
  #generation = 0;
  #tail: Promise<unknown> = Promise.resolve();
  #retryAtMs = Number.NEGATIVE_INFINITY;

  constructor(parts: LinkParts) {
    this.#parts = parts;
  }

  /** Something failed a moment ago, and would again. */
  get isResting(): boolean {
    return this.#parts.clock.monoMs() < this.#retryAtMs;
  }

  /** Rejects with what the disk said, once the fault is raised; with STORE_CORRUPT once the database is replaced. */
  async call<K extends keyof StoreCalls & string>(
    name: K,
    ...args: Parameters<StoreCalls[K]>
  ): Promise<Awaited<ReturnType<StoreCalls[K]>>> {
    const { client, faults, clock } = this.#parts;
    const generation = this.#generation;
    try {
      return await client.call(name, ...args);
    } catch (error) {
      if (isGatewayError(error, "STORE_CORRUPT")) await this.#replace(error, generation);
      else if (isGatewayError(error)) {
        faults.raise("disk", error);
        this.#retryAtMs = clock.monoMs() + RETRY_MS;
      }
      throw error;
    }
  }

  /** Reads between the writes; what could not be read because of damage is `otherwise`. */
  async read<K extends keyof StoreCalls & string>(
    otherwise: Awaited<ReturnType<StoreCalls[K]>>,
    name: K,
    ...args: Parameters<StoreCalls[K]>
  ): Promise<Awaited<ReturnType<StoreCalls[K]>>> {
    const generation = this.#generation;
    try {
      return await this.#parts.client.call(name, ...args);
    } catch (error) {
      if (!isGatewayError(error, "STORE_CORRUPT")) throw error;
      await this.serially(() => this.#replace(error, generation));
      return otherwise;
    }
  }

  /** After what was asked for before. */
  serially<T>(work: () => Promise<T>): Promise<T> {
    const run = this.#tail.then(work, work);
    this.#tail = run.catch(() => {});
    return run;
  }

  async #replace(error: GatewayError, generation: number): Promise<void> {
    const { client, clock, faults, settled, replaced } = this.#parts;
    if (this.#generation !== generation) return;
    this.#generation += 1;
    const { aside, salvaged, ranges } = await client.call("quarantine", clock.wallMs(), settled());
    const message = `${error.message}; moved to ${aside}, ${salvaged} records salvaged`;
    faults.raise("database", new GatewayError("STORE_CORRUPT", message));
    replaced(ranges);
    this.#retryAtMs = Number.NEGATIVE_INFINITY;
  }
}
