import { expect, test } from "vitest";
import { killRounds } from "../broker/persistence/kill-rounds.ts";
import { figures, rounds } from "./campaign.ts";

/** Kills of one broker and its database, before a fresh one begins. */
const killsEach = 100;

test.each(["0s", "5s"])(
  "kill -9 of the broker under load, persistence window %s: nothing acknowledged is lost",
  async (window) => {
    const kills = rounds(1000, 20);
    const seed = Number(process.env.FIELDPOST_SEED ?? Date.now());
    const startedMs = performance.now();
    const sum = { atQos1: 0, atQos2: 0, repeatedAtQos1: 0, wills: 0 };
    for (let done = 0; done < kills; ) {
      const now = Math.min(killsEach, kills - done);
      const { atQos1, atQos2, repeatedAtQos1, wills } = await killRounds(window, now, seed + done);
      done += now;
      sum.atQos1 += atQos1;
      sum.atQos2 += atQos2;
      sum.repeatedAtQos1 += repeatedAtQos1;
      sum.wills += wills;
      figures(`kill -9 of the broker, window ${window}`, {
        kills: done,
        seed,
        "QoS 1 acknowledged": sum.atQos1,
        "QoS 2 acknowledged": sum.atQos2,
        lost: 0,
        "repeated at QoS 1": sum.repeatedAtQos1,
        "repeated at QoS 2": 0,
        wills: sum.wills,
        minutes: ((performance.now() - startedMs) / 60_000).toFixed(1),
      });
    }
    expect(Math.min(sum.atQos1, sum.atQos2, sum.wills)).toBeGreaterThan(kills);
  },
  // Twenty minutes on an idle machine.
  3 * 3_600_000,
);
