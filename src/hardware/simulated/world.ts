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
    illuminanceLx: () => 420 + 300 * wave(DAY_MS) + 15 * wave(53_000),
    uvIndex: () => 2 + 1.5 * wave(DAY_MS),
    co2Ppm: () => 780 + 250 * wave(DAY_MS) + 30 * wave(20 * MINUTE_MS),
    tvocPpb: () => 120 + 60 * wave(DAY_MS) + 20 * wave(20 * MINUTE_MS),
    pm25: () => 8 + 4 * wave(DAY_MS) + wave(61_000),
    voltageV: () => 12.1 + 0.4 * wave(HOUR_MS),
    currentA: () => 0.8 + 0.3 * wave(20 * MINUTE_MS),
    distanceMm: () => 640 + 200 * wave(47_000),
    angleDegrees: () => (clock.monoMs() / 1000) % 360,
    contact: (pin) => ((clock.monoMs() + pin * 1700) % CONTACT_PERIOD_MS < CONTACT_CLOSED_MS ? 1 : 0),
  };
}
