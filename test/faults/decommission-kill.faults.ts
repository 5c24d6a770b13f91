import { expect, test } from "vitest";
import { type KillRound, killRound, killRounds } from "../system/decommission-rounds.ts";
import { figures, rounds } from "./campaign.ts";

const HOUR_MS = 3_600_000;
/** As a step begins, and then ever deeper into it. */
const AFTER_MS = [0, 2, 10, 50].slice(0, rounds(4, 1));

test(
  "kill -9 at every step of a decommission, then run again, leaves nothing and brings nothing back",
  async () => {
    const restarts = rounds(10, 1);
    const hits = new Map<string, number>();
    let kills = 0;
    for (const afterMs of AFTER_MS) {
      for (const round of killRounds) {
        const diedIn = await killRound(round, { afterMs, restarts });
        hits.set(nameOf({ ...round, step: diedIn }), (hits.get(nameOf({ ...round, step: diedIn })) ?? 0) + 1);
        kills++;
      }
      figures(`kill -9 ${afterMs} ms into each step of a decommission`, { kills, "steps hit": hits.size });
    }
    const names = killRounds.map(nameOf);
    figures("kill -9 at every step of a decommission", { kills, restarts, "steps hit": hits.size, of: names.length });
    for (const name of names) figures(name, { kills: hits.get(name) ?? 0 });
    expect(names.filter((name) => !hits.has(name))).toEqual([]);
  },
  3 * HOUR_MS,
);

const nameOf = ({ kind, id, step }: KillRound) => `${kind}, ${id}: ${step}`;
