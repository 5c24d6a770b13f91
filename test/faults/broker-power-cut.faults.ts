import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { retainedNow } from "../broker/model/retained.ts";
import { DiskLoad } from "../broker/persistence/disk-load.ts";
import { BrokerProcess } from "../broker/persistence/process.ts";
import { openTestBroker } from "../broker/support/broker.ts";
import { connectPacket, Peer } from "../broker/support/peer.ts";
import { figures, rounds } from "./campaign.ts";
import { CutDisk, canCutPower, type DiskEvent } from "./cut-disk.ts";

interface Acknowledged {
  readonly topic: string;
  readonly n: number;
  /** How far its publisher was with the topic when the acknowledgement came. */
  readonly sent: number;
  readonly ns: bigint;
}

interface Recorded {
  readonly events: readonly DiskEvent[];
  readonly startNs: bigint;
  /** What was acknowledged, and when. */
  readonly promises: readonly Acknowledged[];
}

/** A broker under load on the disk, for so long. */
async function record(disk: CutDisk, window: string, seconds: number, env: NodeJS.ProcessEnv): Promise<Recorded> {
  const promises: Acknowledged[] = [];
  let startNs = 0n;
  const events = await disk.record(async (mount) => {
    await using broker = new BrokerProcess(window, env, join(mount, "store"));
    const load = new DiskLoad(Date.now(), ({ topic, sent }, n) => {
      promises.push({ topic, n, sent, ns: process.hrtime.bigint() });
    });
    await broker.start();
    await load.begin(broker.port);
    startNs = process.hrtime.bigint();
    await Promise.race([sleep(seconds * 1000), load.until(() => false)]);
    await load.stop();
    broker.signal("SIGKILL");
    await broker.ended();
  });
  return { events, startNs, promises };
}

/** The largest number of each topic that a broker on this disk has for the subscriber that was away, or retains. */
async function found(store: string): Promise<{ numbers: Map<string, Set<number>>; damaged: boolean }> {
  const staging = mkdtempSync(join(tmpdir(), "fieldpost-cut-staging-"));
  const persistence = { directory: store, stagingPath: staging, windowMs: 0 };
  const limits = { queuedMessages: 1_000_000, queuedBytes: 1e9, inflightMessages: 60_000 };
  try {
    await using broker = await openTestBroker({ persistence, limits });
    const numbers = new Map<string, Set<number>>();
    const add = (topic: string, n: number) => numbers.set(topic, (numbers.get(topic) ?? new Set()).add(n));
    using peer = new Peer({ host: "127.0.0.1", port: broker.port }, 5);
    const properties = { sessionExpiryInterval: 3600 };
    peer.send(connectPacket({ clientId: "away-5", version: 5, cleanStart: false, properties }));
    await peer.nextOf("connack");
    for (const packet of await peer.untilPong())
      if (packet.type === "publish") add(packet.topic, Number(packet.payload.toString()));
    for (const [topic, payload] of await retainedNow(broker.port)) add(topic, Number(payload));
    return { numbers, damaged: broker.logged.some(({ message }) => message.includes("damaged")) };
  } finally {
    rmSync(staging, { recursive: true, force: true });
  }
}

interface Sum {
  states: number;
  torn: number;
  damaged: number;
  promised: number;
  "promised lost": number;
  "most lost, ms": number;
}

/** `modes`: nothing of what was not flushed, all of it, any of it, any of it and torn. */
function survivor(mode: number, sum: Sum): (event: DiskEvent) => Buffer | undefined {
  return ({ bytes }) => {
    if (!bytes || mode === 0) return undefined;
    if (mode === 1) return bytes;
    if (Math.random() < 0.5) return undefined;
    if (mode === 2 || Math.random() > 0.3) return bytes;
    sum.torn += 1;
    return bytes.subarray(0, 512 * Math.floor(Math.random() * (bytes.length / 512)));
  };
}

/** Looks at what cuts at random moments leave. What was acknowledged `graceMs` before must be there. */
async function cut(disk: CutDisk, recorded: Recorded, states: number, graceMs: number): Promise<Sum> {
  const { events, startNs, promises } = recorded;
  const sum: Sum = { states: 0, torn: 0, damaged: 0, promised: 0, "promised lost": 0, "most lost, ms": 0 };
  const first = events.findIndex(({ ns }) => ns > startNs);
  const cuts = Array.from({ length: states }, () => first + Math.floor(Math.random() * (events.length - first)));
  for (const [index, at] of cuts.sort((a, b) => a - b).entries()) {
    const ns = events[at]?.ns ?? 0n;
    sum.states += 1;
    const look = async (mount: string) => {
      const store = join(mount, "store");
      const { numbers, damaged } = existsSync(store) ? await found(store) : { numbers: new Map(), damaged: true };
      if (damaged) sum.damaged += 1;
      for (const { agoMs } of lostOf(promises, ns, numbers)) {
        sum["most lost, ms"] = Math.max(sum["most lost, ms"], Math.round(agoMs));
        if (agoMs > graceMs) sum["promised lost"] += 1;
      }
      sum.promised += promises.filter((one) => one.ns < ns - BigInt(graceMs) * 1_000_000n).length;
    };
    await disk.after(events, at, survivor(index % 4, sum), look);
  }
  return sum;
}

interface Lost {
  /** How long before the cut it was acknowledged. */
  readonly agoMs: number;
}

/** What was acknowledged before the cut and is not there. Of a retained topic the newest counts, or what followed it. */
function lostOf(
  promises: readonly Acknowledged[],
  cutNs: bigint,
  numbers: ReadonlyMap<string, ReadonlySet<number>>,
): Lost[] {
  const before = promises.filter(({ ns }) => ns < cutNs);
  const sentLater = new Map(
    promises
      .filter(({ ns }) => ns >= cutNs)
      .toReversed()
      .map(({ topic, sent }) => [topic, sent]),
  );
  return before.flatMap(({ topic, n, ns }) => {
    const there = numbers.get(topic) ?? new Set<number>();
    const isThere = topic.startsWith("r/")
      ? isRetained(n, sentLater.get(topic) ?? Number.POSITIVE_INFINITY, there)
      : there.has(n);
    return isThere ? [] : [{ agoMs: Number(cutNs - ns) / 1e6 }];
  });
}

/** Every fifth number clears its topic: with none there, it must be one of those. */
function isRetained(n: number, sent: number, there: ReadonlySet<number>): boolean {
  const [found] = there;
  if (found !== undefined) return found >= n;
  return sent === Number.POSITIVE_INFINITY || Math.floor(sent / 5) * 5 >= n;
}

test.runIf(canCutPower()).each([
  ["0s", 0],
  ["500ms", 500],
] as const)(
  "a power cut of the broker's disk, window %s: what was promised is there, and the database is whole",
  async (window, windowMs) => {
    using disk = new CutDisk();
    const recorded = await record(disk, window, rounds(20, 5), {});
    // A window is followed by one sync, which takes its time on a busy machine.
    const sum = await cut(disk, recorded, rounds(400, 12), windowMs === 0 ? 0 : windowMs + 2000);
    figures(`power cuts of the broker, window ${window}`, { ...sum });
    expect(sum).toMatchObject({ damaged: 0, "promised lost": 0 });
    expect(sum.promised).toBeGreaterThan(0);
  },
);

test.runIf(canCutPower())("the same without syncs is noticed: what this campaign promises, it can tell", async () => {
  using disk = new CutDisk();
  const recorded = await record(disk, "0s", 5, { LD_PRELOAD: disk.noSync });
  const sum = await cut(disk, recorded, rounds(60, 12), 0).catch((error: unknown) => ({ error }));
  const isNoticed = "error" in sum || sum["promised lost"] + sum.damaged > 0;
  figures("power cuts of the broker that does not sync (control)", "error" in sum ? { noticed: "yes" } : { ...sum });
  expect(isNoticed).toBe(true);
});
