import { expect, test } from "vitest";
import { BrokerProcess } from "../broker/persistence/process.ts";
import { type SoakFigures, soak } from "../broker/soak.ts";
import { figures, rounds } from "./campaign.ts";
import { slopeOf } from "./regression.ts";

const MB = 1_000_000;
const hourMs = 3_600_000;

test("an hour of 200 clients that come and go: every promise of QoS 1 and 2 is held, and memory stays flat", {
  timeout: 2 * hourMs,
}, async () => {
  const durationMs = rounds(hourMs, 30_000);
  const [turnMs, sampleMs] = [rounds(20_000, 3000), rounds(5000, 500)];
  const seed = Number(process.env.FIELDPOST_SEED ?? Date.now());
  await using broker = new BrokerProcess("5s");
  await broker.start();
  const { port, pid } = broker;
  const startedMs = performance.now();
  const shown = ({ rssBytes, ...counts }: SoakFigures) => {
    figures("soak of the broker", {
      minutes: ((performance.now() - startedMs) / 60_000).toFixed(1),
      seed,
      clients: 200,
      connections: counts.connections,
      "QoS 1 acknowledged": counts.atQos1,
      "QoS 2 acknowledged": counts.atQos2,
      received: counts.received,
      wills: counts.wills,
      "retained checked": counts.retainedChecks,
      "RSS at the end (MB)": ((rssBytes.at(-1) ?? 0) / MB).toFixed(1),
      "largest RSS (MB)": (Math.max(...rssBytes) / MB).toFixed(1),
      "slope after warm-up (MB an hour)": (slopeAnHour(rssBytes, sampleMs) / MB).toFixed(1),
    });
  };
  const whole = await soak({ port, pid, seed, durationMs, turnMs, sampleMs, report: shown });
  shown(whole);
  expect(broker.errors).toBe("");
  expect(Math.max(...whole.rssBytes)).toBeLessThan(250 * MB);
  // In half a minute V8 has not even found its size.
  if (durationMs === hourMs) expect(slopeAnHour(whole.rssBytes, sampleMs)).toBeLessThan(10 * MB);
});

/** Bytes; the first third of the samples is warm-up. */
function slopeAnHour(rssBytes: readonly number[], sampleMs: number): number {
  return (slopeOf(rssBytes.slice(Math.floor(rssBytes.length / 3))) / sampleMs) * hourMs;
}
