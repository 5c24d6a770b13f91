import { expect, it } from "vitest";
import { killRounds } from "./kill-rounds.ts";

const ROUNDS = 20;

it(`kill -9 at ${ROUNDS} random moments loses no accepted record and never gives out an (epoch, seq) twice`, async () => {
  expect(await killRounds(ROUNDS)).toBeGreaterThan(ROUNDS * 20);
}, 300_000);
