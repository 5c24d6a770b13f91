import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import Sqlite from "better-sqlite3";
import { expect } from "vitest";
import { Machine } from "./fixture.ts";
import { GATEWAY, type Line, type Phase } from "./kill-program.ts";

/** Each draining has a backlog, and each migration finds one. */
const PHASES: readonly Phase[] = ["sampling", "offline", "draining", "offline", "migrating"];
/** A life is killed so long after it was up at most, or, migrating, after it began to open the store. */
const LIFE_MS = 600;
const OPENING_MS = 60;

/** How often it was killed in which phase; `opening`: before the store was open, whatever the phase. */
export type Kills = Record<Phase | "opening", number>;

/** Back to the first schema, with everything that it had a place for. */
function downgrade(machine: Machine): void {
  const database = new Sqlite(join(machine.path, "store.db"));
  database.exec(`
    BEGIN;
    DROP TABLE IF EXISTS gap;
    UPDATE counter SET name = substr(name, 6) WHERE name LIKE 'mqtt %';
    PRAGMA user_version = 1;
    COMMIT;`);
  database.close();
}

/** One life, killed at a random moment. */
async function live(machine: Machine, phase: Phase, first: number): Promise<Line[]> {
  const args = ["--input-type=module", "-e", GATEWAY, machine.path, machine.staging, phase, String(first)];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  const isDue = phase === "migrating" ? /"starting"/ : /"found"/;
  const killAfterMs = Math.random() * (phase === "migrating" ? OPENING_MS : LIFE_MS);
  let text = "";
  let isDoomed = false;
  child.stdout.on("data", (chunk: Buffer) => {
    text += chunk;
    if (isDoomed || !isDue.test(text)) return;
    isDoomed = true;
    setTimeout(() => child.kill("SIGKILL"), killAfterMs);
  });
  await once(child, "close");
  return text
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line));
}

/**
 * Kills it at that many random moments, and sees after each that every accepted record is there and that no (epoch, seq)
 * was given out twice.
 */
export async function killRounds(rounds: number): Promise<{ readonly accepted: number; readonly kills: Kills }> {
  using machine = new Machine();
  const ledger = new Ledger();
  const kills: Kills = { sampling: 0, offline: 0, draining: 0, migrating: 0, opening: 0 };
  for (let round = 0; round < rounds; round++) {
    const phase = PHASES[round % PHASES.length] ?? "sampling";
    if (phase === "migrating") downgrade(machine);
    const lines = await live(machine, phase, ledger.next);
    kills[lines.some(({ found }) => found) ? phase : "opening"] += 1;
    ledger.enter(lines, `round ${round}, ${phase}`);
  }
  return { accepted: ledger.size, kills };
}

/** What was accepted in all lives. */
class Ledger {
  next = 1;
  readonly #given = new Set<string>();
  /** Accepted and not acknowledged: each must be there at the next start. */
  readonly #waiting = new Map<string, number>();

  get size(): number {
    return this.#given.size;
  }

  enter(lines: readonly Line[], when: string): void {
    const opened = lines.find(({ found }) => found);
    if (opened) this.#compare(opened, when);
    for (const { accepted, acknowledging } of lines) {
      if (accepted) this.#accept(accepted, when);
      if (acknowledging) this.#acknowledge(acknowledging);
    }
    // The one that was killed between being accepted and being told of.
    if (opened) this.next += 1;
  }

  #compare({ found = [], counters }: Line, when: string): void {
    const there = new Map(found.map(([epoch, seq, n]) => [`${epoch}/${seq}`, n]));
    for (const [id, n] of this.#waiting) expect(there.get(id), `record ${n} at ${id} in ${when}`).toBe(n);
    expect(there.size, `records that are there, in ${when}`).toBe(found.length);
    expect(counters?.sampled).toBe((counters?.delivered ?? 0) + (counters?.pending ?? 0));
    expect(counters?.pending).toBe(found.length);
    expect(counters?.dropped).toEqual({});
    this.#waiting.clear();
    for (const [id, n] of there) this.#waiting.set(id, n);
    for (const id of there.keys()) this.#given.add(id);
  }

  #accept([epoch, seq, n]: NonNullable<Line["accepted"]>, when: string): void {
    const id = `${epoch}/${seq}`;
    expect(this.#given.has(id), `${id} was given out before ${when}`).toBe(false);
    this.#given.add(id);
    this.#waiting.set(id, n);
    this.next = n + 1;
  }

  #acknowledge([epoch, seq]: NonNullable<Line["acknowledging"]>): void {
    for (const id of this.#waiting.keys()) {
      const [otherEpoch = 0, otherSeq = 0] = id.split("/").map(Number);
      if (otherEpoch < epoch || (otherEpoch === epoch && otherSeq <= seq)) this.#waiting.delete(id);
    }
  }
}
