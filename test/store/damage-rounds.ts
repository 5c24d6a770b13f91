import { cpSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { Machine, numbersOf, pendingOf } from "./fixture.ts";

const PAGE = 4096;
const RECORDS = 3000;
const DELIVERED = 400;

export interface Damage {
  readonly kind: "page" | "bit" | "length" | "content" | "wal-cut" | "wal-bytes";
  readonly at: number;
}

let prepared: { path: string; epoch: number; machine: Machine } | undefined;

/** A store after a power cut: part of it in the database, part in the WAL; some delivered. */
async function prepare(): Promise<{ path: string; epoch: number }> {
  if (prepared) return prepared;
  const machine = new Machine();
  const store = await machine.open();
  store.setMeta("gateway.id", "greenhouse-12ab");
  await store.ledger.add({ topic: "a/status", broker: "b:1" });
  const text = (n: number) => Array.from({ length: 12 }, (_, i) => Math.sin(n * 100 + i)).join();
  for (let n = 1; n <= RECORDS; n++) {
    store.accept({ ...machine.reading(n), values: { n, text: text(n) } });
    if (n % 10 === 0) await store.flush();
    if (n === DELIVERED) store.outbox.acknowledge("mqtt", DELIVERED);
  }
  const { epoch } = store;
  await machine.powerCut(store);
  prepared = { path: machine.path, epoch, machine };
  return prepared;
}

/** About `count` damages, spread over everything that can be damaged; each page of the database at least once where it is enough. */
export async function damagesOf(count: number): Promise<Damage[]> {
  const { path } = await prepare();
  const size = readFileSync(join(path, "store.db")).length;
  const walSize = readFileSync(join(path, "store.db-wal")).length;
  const some = (kind: Damage["kind"], n: number, end: number): Damage[] =>
    Array.from({ length: n }, (_, index) => ({ kind, at: Math.floor(((index + Math.random()) * end) / n) }));
  const each = Math.max(1, Math.floor(count / 6));
  const pages = size / PAGE;
  return [
    ...(pages <= count
      ? Array.from({ length: pages }, (_, at): Damage => ({ kind: "page", at }))
      : some("page", each, pages)),
    ...some("bit", each, size),
    ...some("length", each, size),
    ...([0, 1, 2, 3] as const).map((at): Damage => ({ kind: "content", at })),
    ...some("wal-cut", each, walSize),
    ...some("wal-bytes", each, walSize),
  ];
}

const CONTENTS = [Buffer.alloc(0), Buffer.alloc(50_000), Buffer.from("#!/bin/sh\n"), Buffer.alloc(PAGE, "x")];

function apply(path: string, { kind, at }: Damage): void {
  const [file, wal] = [join(path, "store.db"), join(path, "store.db-wal")];
  const name = kind.startsWith("wal") ? wal : file;
  if (kind === "content") rmSync(wal, { force: true });
  writeFileSync(name, damaged(readFileSync(name), kind, at));
}

function damaged(bytes: Buffer, kind: Damage["kind"], at: number): Buffer {
  switch (kind) {
    case "page":
      return bytes.fill(0x5a, at * PAGE, (at + 1) * PAGE);
    case "bit":
      bytes[at] = (bytes[at] ?? 0) ^ (1 << (at % 8));
      return bytes;
    case "length":
    case "wal-cut":
      return bytes.subarray(0, at);
    case "content":
      return CONTENTS[at] ?? Buffer.alloc(0);
    case "wal-bytes":
      return bytes.fill(0xa5, at, at + 64);
  }
}

/** One damage, and the start after it: all that is given out is right, counted and new. */
export async function damageRound(damage: Damage): Promise<{ replaced: boolean; found: number; wanted: number }> {
  const { path, epoch } = await prepare();
  using machine = new Machine();
  cpSync(path, machine.path, { recursive: true });
  machine.reboot();
  machine.clock.setWallMs(machine.clock.wallMs() + 3_600_000);
  apply(machine.path, damage);
  const title = JSON.stringify(damage);
  await using store = await machine.open();
  const found = await pendingOf(store, 500);
  const numbers = numbersOf(found);
  expect(numbers, title).toEqual([...new Set(numbers)].sort((a, b) => a - b));
  for (const stored of found) expect([stored.epoch, stored.seq], title).toEqual([epoch, stored.record.values.n]);
  const { sampled, delivered, pending, dropped } = store.counters();
  const gone = Object.values(dropped).reduce((sum, count) => sum + count, 0);
  expect(sampled, title).toBe(delivered + pending + gone);
  expect(pending, title).toBe(found.length);
  // A new epoch, above all that went before.
  const next = store.accept(machine.reading(0));
  expect(next?.epoch, title).toBeGreaterThan(epoch);
  expect(next?.seq, title).toBe(1);
  await store.flush();
  expect(numbersOf(await pendingOf(store, 500)).length, title).toBe(found.length + 1);
  const replaced = store.faults().some(({ message }) => message.includes("salvaged"));
  const fresh = numbers.filter((n) => n > DELIVERED).length;
  return { replaced, found: fresh, wanted: RECORDS - DELIVERED };
}
