import { expect, test } from "vitest";
import { BrokerProcess } from "../broker/persistence/process.ts";
import { soak } from "../broker/soak.ts";
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
  const { rssBytes, ...counts } = await soak({ port, pid, seed, durationMs, turnMs, sampleMs });
  const warm = rssBytes.slice(Math.floor(rssBytes.length / 3));
  const bytesAnHour = (slopeOf(warm) / sampleMs) * hourMs;
  const last = warm.at(-1) ?? 0;
  figures("soak of the broker", {
    minutes: durationMs / 60_000,
    seed,
    clients: 200,
    connections: counts.connections,
    "QoS 1 acknowledged": counts.atQos1,
    "QoS 2 acknowledged": counts.atQos2,
    received: counts.received,
    wills: counts.wills,
    "retained checked": counts.retainedChecks,
    "RSS at the end (MB)": (last / MB).toFixed(1),
    "largest RSS (MB)": (Math.max(...rssBytes) / MB).toFixed(1),
    "slope after warm-up (MB an hour)": (bytesAnHour / MB).toFixed(1),
  });
  expect(broker.errors).toBe("");
  expect(Math.max(...rssBytes)).toBeLessThan(250 * MB);
  // In half a minute V8 has not even found its size.
  if (durationMs === hourMs) expect(bytesAnHour).toBeLessThan(10 * MB);
});
