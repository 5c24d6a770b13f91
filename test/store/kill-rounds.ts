import { spawn } from "node:child_process";
import { once } from "node:events";
import { pathToFileURL } from "node:url";
import { expect } from "vitest";
import { Machine } from "./fixture.ts";

const built = (file: string) => JSON.stringify(pathToFileURL(`${process.cwd()}/dist/${file}`).href);

/** Says what it found, then accepts and acknowledges until it is killed; each line is written before the next step. */
const GATEWAY = `
  import { writeSync } from "node:fs";
  import { openStore } from ${built("store/open-store.js")};
  import { linuxClock } from ${built("hardware/clock.js")};
  const quiet = { debug() {}, info() {}, warn() {}, error() {}, part: () => quiet };
  const [path, stagingPath, first] = process.argv.slice(1);
  const clock = linuxClock();
  const store = await openStore(
    { path, stagingPath, commitWindowMs: 300, maxBytes: 2 ** 30, whenFull: "drop_oldest" }, { clock, log: quiet });
  const say = (line) => writeSync(1, JSON.stringify(line) + "\\n");
  const found = [];
  for (let position = store.outbox.cursor("mqtt"); ; position = found.at(-1).position) {
    const some = await store.outbox.after(position, 500);
    found.push(...some);
    if (some.length === 0) break;
  }
  say({ found: found.map(({ epoch, seq, record }) => [epoch, seq, record.values.n]), counters: store.counters() });
  for (let n = Number(first); ; n++) {
    const at = { boot: clock.bootId(), monoMs: clock.monoMs() };
    const stored = store.accept({ kind: "reading", device: "d", at, values: { n } });
    say({ accepted: [stored.epoch, stored.seq, n] });
    if (n % 50 === 0) {
      const position = store.outbox.head - (n % 7) * 10;
      const base = stored.position - stored.seq;
      say({ acknowledging: [stored.epoch, position - base] });
      store.outbox.acknowledge("mqtt", position);
    }
    if (n % 5 === 0) await new Promise((resolve) => setTimeout(resolve, n % 3));
  }`;

interface Line {
  found?: Array<[number, number, number]>;
  counters?: { sampled: number; delivered: number; pending: number; dropped: Record<string, number> };
  accepted?: [number, number, number];
  acknowledging?: [number, number];
}

/** One life: killed at a random moment after it was up. */
async function live(machine: Machine, first: number, killAfterMs: number): Promise<Line[]> {
  const args = ["--input-type=module", "-e", GATEWAY, machine.path, machine.staging, String(first)];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  let text = "";
  child.stdout.on("data", (chunk: Buffer) => {
    if (text === "") setTimeout(() => child.kill("SIGKILL"), killAfterMs);
    text += chunk;
  });
  await once(child, "close");
  return text
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line));
}

/**
 * Kills it at that many random moments, and sees after each that every accepted record is there and that no (epoch, seq)
 * was given out twice. Returns how many were accepted.
 */
export async function killRounds(rounds: number): Promise<number> {
  using machine = new Machine();
  const waiting = new Map<string, number>();
  const given = new Set<string>();
  let next = 1;
  for (let round = 0; round < rounds; round++) {
    const lines = await live(machine, next, Math.random() * 600);
    const { found = [], counters } = lines[0] ?? {};
    const there = new Map(found.map(([epoch, seq, n]) => [`${epoch}/${seq}`, n]));
    for (const [id, n] of waiting) expect(there.get(id), `record ${n} at ${id} in round ${round}`).toBe(n);
    expect(counters?.sampled).toBe((counters?.delivered ?? 0) + (counters?.pending ?? 0));
    expect(counters?.pending).toBe(found.length);

    waiting.clear();
    for (const [id, n] of there) waiting.set(id, n);
    for (const id of there.keys()) given.add(id);
    for (const { accepted, acknowledging } of lines) {
      if (accepted) {
        const id = `${accepted[0]}/${accepted[1]}`;
        expect(given.has(id), `${id} in round ${round}`).toBe(false);
        given.add(id);
        waiting.set(id, accepted[2]);
        next = accepted[2] + 1;
      }
      if (acknowledging) {
        for (const id of waiting.keys()) if (Number(id.split("/")[1]) <= acknowledging[1]) waiting.delete(id);
      }
    }
    // The one that was killed between being accepted and being told of.
    next += 1;
  }
  return given.size;
}
