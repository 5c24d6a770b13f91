import type { Clock } from "../../core/clock.ts";
import type { World } from "./chip.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** A contact's round: how long, and how long of it the contact is closed. */
const CONTACT_PERIOD_MS = 40_000;
const CONTACT_CLOSED_MS = 15_000;

/** A room with a day, a heating and some weather: smooth, within what every chip can measure, the same at every run. */
export function simulatedWorld(clock: Pick<Clock, "monoMs">): World {
  const wave = (periodMs: number) => Math.sin((2 * Math.PI * clock.monoMs()) / periodMs);
  return {
    monoMs: () => clock.monoMs(),
    temperatureC: () => 21.5 + 3 * wave(DAY_MS) + 0.6 * wave(20 * MINUTE_MS) + 0.05 * wave(47_000),
    humidityPercent: () => 48 - 9 * wave(DAY_MS) - 2 * wave(20 * MINUTE_MS) + 0.2 * wave(61_000),
    pressureHpa: () => 1013.25 + 9 * wave(5 * DAY_MS) + 0.4 * wave(7 * HOUR_MS) + 0.02 * wave(53_000),
    contact: (pin) => ((clock.monoMs() + pin * 1700) % CONTACT_PERIOD_MS < CONTACT_CLOSED_MS ? 1 : 0),
  };
}
