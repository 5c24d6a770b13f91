import { expect, test } from "vitest";
import { SimulatedFiles } from "../../src/hardware/simulated/files.ts";
import { type Vitals, watchVitals } from "../../src/wiring/vitals.ts";
import { FakeClock } from "../fakes/clock.ts";

const files = new SimulatedFiles({
  "/proc/loadavg": "0.52 0.58 0.59 1/467 12345\n",
  "/sys/class/thermal/thermal_zone0/type": "cpu-thermal\n",
  "/sys/class/thermal/thermal_zone0/temp": "48300\n",
  "/sys/devices/platform/soc/soc:firmware/get_throttled": "50004\n",
});

test("the gateway tells once a minute how hot and how throttled its machine is, and nothing else", async () => {
  const clock = new FakeClock();
  const stop = new AbortController();
  const told: Vitals[] = [];
  const watching = watchVitals(files, clock, (vitals) => told.push(vitals), stop.signal);
  await clock.advance(61_000);
  stop.abort();
  await watching;
  expect(told).toEqual([
    { cpu_temperature: 48.3, throttled: true },
    { cpu_temperature: 48.3, throttled: true },
  ]);
});

test.each([0, 5000])("nothing of it goes on when it is stopped after %i ms", async (ms) => {
  const clock = new FakeClock();
  const stop = new AbortController();
  const watching = watchVitals(files, clock, () => undefined, stop.signal);
  if (ms > 0) await clock.advance(ms);
  stop.abort();
  await watching;
  await clock.advance(0);
  expect(clock.sleeping).toBe(0);
});
