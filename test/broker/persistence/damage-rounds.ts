import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { subscribe } from "../support/broker.ts";
import { publishPacket } from "../support/peer.ts";
import { Disk } from "./disk.ts";

const PAGE = 4096;

export interface Damage {
  readonly kind: "page" | "zeros" | "bit" | "length" | "content" | "wal-cut" | "wal-bytes";
  readonly at: number;
}

const lasting = { cleanStart: false, properties: { sessionExpiryInterval: 3600 } };

/** A broker's database with sessions, subscriptions, queued and retained messages, part of it in the WAL. */
export async function prepare(): Promise<Disk> {
  const disk = new Disk();
  const crashed = new Disk();
  await using broker = await disk.broker(0);
  for (let i = 0; i < 20; i++) {
    const away = await broker.join(`away-${i}`, 5, lasting);
    for (let k = 0; k < 5; k++) await subscribe(away, `t/${i}/${k}`, { qos: 1 });
    away.send({ type: "disconnect", reason: 0, properties: {} });
    await away.untilClosed();
  }
  const publisher = await broker.join("publisher", 5);
  for (let i = 0; i < 100; i++) {
    const payload = `${i}`.repeat(100);
    publisher.send(publishPacket(`t/${i % 20}/${i % 5}`, payload, { qos: 1, retain: i % 2 === 0, packetId: 1 }));
    await publisher.nextOf("puback");
  }
  // As it is on the disk while the broker runs: a clean end would leave no WAL.
  for (const suffix of ["", "-wal"])
    cpSync(join(disk.path, `broker.db${suffix}`), join(crashed.path, `broker.db${suffix}`));
  disk[Symbol.dispose]();
  return crashed;
}

/** Each page, and about `count` other damages spread over everything that can be damaged. */
export function damagesOf(disk: Disk, count: number): Damage[] {
  const size = readFileSync(join(disk.path, "broker.db")).length;
  const walSize = readFileSync(join(disk.path, "broker.db-wal")).length;
  const some = (kind: Damage["kind"], n: number, end: number): Damage[] =>
    Array.from({ length: n }, (_, index) => ({ kind, at: Math.floor(((index + Math.random()) * end) / n) }));
  const pages = Array.from({ length: size / PAGE }, (_, at) => at);
  const each = Math.max(1, Math.floor(count / 5));
  return [
    ...pages.map((at): Damage => ({ kind: "page", at })),
    ...pages.map((at): Damage => ({ kind: "zeros", at })),
    ...some("bit", each, size),
    ...some("length", each, size),
    ...contents.map((_, at): Damage => ({ kind: "content", at })),
    ...some("wal-cut", each, walSize),
    ...some("wal-bytes", each, walSize),
  ];
}

const contents = [Buffer.alloc(0), Buffer.alloc(50_000), Buffer.from("#!/bin/sh\n"), Buffer.alloc(PAGE, "x")];

function damage(path: string, { kind, at }: Damage): void {
  const [file, wal] = [join(path, "broker.db"), join(path, "broker.db-wal")];
  const name = kind.startsWith("wal") ? wal : file;
  if (kind === "content") rmSync(wal, { force: true });
  const bytes = readFileSync(name);
  if (kind === "page") bytes.fill(0x5a, at * PAGE, (at + 1) * PAGE);
  if (kind === "zeros") bytes.fill(0, at * PAGE, (at + 1) * PAGE);
  if (kind === "bit") bytes[at] = (bytes[at] ?? 0) ^ (1 << (at % 8));
  if (kind === "wal-bytes") bytes.fill(0xa5, at, at + 64);
  const cut = kind === "length" || kind === "wal-cut" ? bytes.subarray(0, at) : bytes;
  writeFileSync(name, kind === "content" ? (contents[at] as Buffer) : cut);
}

/** One damage and the start after it: whatever is left, the broker serves, and what it takes from then on it keeps. */
export async function damageRound(prepared: Disk, one: Damage): Promise<{ replaced: boolean; sessions: number }> {
  using disk = new Disk();
  cpSync(prepared.path, disk.path, { recursive: true });
  damage(disk.path, one);
  const title = JSON.stringify(one);
  let replaced: boolean;
  let sessions: number;
  {
    await using broker = await disk.broker(0);
    ({ sessions } = broker.broker.stats());
    const aside = readdirSync(disk.path).filter((name) => name.includes(".corrupt-") && !name.endsWith("-wal"));
    const said = broker.logged.filter(({ message }) => message.includes("damaged and moved aside"));
    replaced = aside.length > 0;
    expect(
      said.map(({ fields }) => fields?.path),
      title,
    ).toEqual(aside.map((name) => join(disk.path, name)));
    const away = await broker.join("new", 5, lasting);
    await subscribe(away, "new", { qos: 1 });
    away.send({ type: "disconnect", reason: 0, properties: {} });
    await away.untilClosed();
    const publisher = await broker.join("publisher", 5);
    publisher.send(publishPacket("new", "kept", { qos: 1 }));
    expect(await publisher.nextOf("puback"), title).toMatchObject({ reason: 0 });
  }
  await using after = await disk.broker(0);
  const back = await after.join("new", 5, lasting);
  expect((await back.nextOf("publish")).payload.toString(), title).toBe("kept");
  return { replaced, sessions };
}
