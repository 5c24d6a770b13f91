import { expect, it } from "vitest";
import { killRounds } from "./kill-rounds.ts";

const ROUNDS = 20;

it(`kill -9 at ${ROUNDS} random moments, sampling, offline, draining and migrating, loses no accepted record and never gives out an (epoch, seq) twice`, async () => {
  const { accepted } = await killRounds(ROUNDS);
  expect(accepted).toBeGreaterThan(ROUNDS * 20);
}, 300_000);
