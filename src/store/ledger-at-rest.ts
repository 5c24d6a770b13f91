import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Clock } from "../core/clock.ts";
import { DATABASE_NAME } from "./database/schema.ts";
import { StoreClient } from "./database/store-client.ts";
import { INSTANCE, ledgerKey } from "./keys.ts";
import type { RetainedLedger } from "./store.ts";

/**
 * The retained topics and tombstones of a store that no service uses, for commands. Neither the outbox nor what is
 * staged is touched: the next start finds them as they were left.
 */
export interface LedgerAtRest extends AsyncDisposable {
  readonly instance: string;
  getMeta(key: string): string | undefined;
  readonly ledger: Pick<RetainedLedger, "topics" | "cleared">;
  isTombstoned(device: string): boolean;
  setTombstone(device: string, wallMs: number | undefined): Promise<void>;
  metaKeys(): Iterable<string>;
  /** Those that have newest values. */
  devices(): string[];
  /** Removes small values and devices' newest ones, and leaves a mark in the same transaction: what is staged may bring them back. */
  forget(metaKeys: readonly string[], devices: readonly string[], mark: string): Promise<void>;
}

const MARK = "1";

/** Whose the database in this directory is; undefined where there is none. A file of another user's would lock him out. */
export function storeOwner(path: string): number | undefined {
  const file = join(path, DATABASE_NAME);
  return existsSync(file) ? statSync(file).uid : undefined;
}

/** Throws as `openStore` does: STORE_LOCKED while a service runs. */
export async function openLedgerAtRest(path: string, clock: Clock): Promise<LedgerAtRest> {
  const client = new StoreClient({ directory: path }, clock);
  try {
    return atRest(client, await client.open());
  } catch (error) {
    await client.close();
    throw error;
  }
}

function atRest(client: StoreClient, loaded: Awaited<ReturnType<StoreClient["open"]>>): LedgerAtRest {
  const meta = new Map(loaded.meta);
  const ledger = new Map(loaded.ledger.map((entry) => [ledgerKey(entry), entry]));
  const tombstones = new Set(loaded.tombstones.map(([device]) => device));
  const newest = new Set(loaded.newest.map(([device]) => device));
  return {
    instance: meta.get(INSTANCE) ?? "",
    getMeta: (key) => meta.get(key),
    ledger: {
      topics: async (of) => [...ledger.values()].filter((entry) => of === "all" || entry.device === of.device),
      async cleared(topic, broker) {
        for (const key of new Set([ledgerKey({ topic, broker }), ledgerKey({ topic, broker: "" })])) {
          const entry = ledger.get(key);
          if (!entry) continue;
          await client.call("write", { ledger: [{ ...entry, present: false }] });
          ledger.delete(key);
        }
      },
    },
    isTombstoned: (device) => tombstones.has(device),
    async setTombstone(device, wallMs) {
      await client.call("write", { tombstones: [[device, wallMs]] });
      if (wallMs === undefined) tombstones.delete(device);
      else tombstones.add(device);
    },
    devices: () => [...newest],
    metaKeys: () => meta.keys(),
    async forget(metaKeys, devices, mark) {
      await client.call("write", {
        meta: [...metaKeys.map((key) => [key, undefined] as const), [mark, MARK] as const],
        newest: devices.map((device) => [device, undefined] as const),
      });
      for (const key of metaKeys) meta.delete(key);
      for (const device of devices) newest.delete(device);
      meta.set(mark, MARK);
    },
    [Symbol.asyncDispose]: () => client.close(),
  };
}
