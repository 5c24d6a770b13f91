import { simulate } from "./run.ts";

export interface Tally {
  readonly schedules: number;
  readonly readings: number;
  readonly arrived: number;
  readonly simulatedHours: number;
}

/** Only this schedule, to look at one that failed. */
const ONLY = process.env.FIELDPOST_SIMULATION_SEED;

/** Lives the schedules of these seeds; rejects at the first one that breaks a promise, with the way to see it again. */
export async function allHold(from: number, count: number): Promise<Tally> {
  const seeds = ONLY === undefined ? Array.from({ length: count }, (_, index) => from + index) : [Number(ONLY)];
  let [readings, arrived, simulatedMs] = [0, 0, 0];
  for (const seed of seeds) {
    const outcome = await simulate(seed);
    if (outcome.violations.length > 0) throw new Error(report(seed, outcome));
    readings += outcome.taken;
    arrived += outcome.arrived;
    simulatedMs += outcome.simulatedMs;
  }
  return { schedules: seeds.length, readings, arrived, simulatedHours: Math.round(simulatedMs / 3_600_000) };
}

function report(seed: number, { violations, schedule }: Awaited<ReturnType<typeof simulate>>): string {
  const { happenings, ...rest } = schedule;
  return [
    `the schedule of seed ${seed} breaks a promise:`,
    ...violations.slice(0, 10).map((violation) => `  ${violation}`),
    `  under ${JSON.stringify(rest)}`,
    ...happenings.map((happening) => `  ${JSON.stringify(happening)}`),
    `again: FIELDPOST_SIMULATION_SEED=${seed} npx vitest run test/simulation/first-half.test.ts`,
  ].join("\n");
}
