import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { readDamaged } from "../broker/fuzz-rounds.ts";
import { figures, rounds } from "./campaign.ts";
import { slopeOf } from "./regression.ts";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

function heapBytes(): number {
  collect();
  return process.memoryUsage().heapUsed;
}

const batches = 20;
/**
 * Of an object that is kept of each sequence: V8's smallest takes 24 bytes. Measured are 3 to 6 over 50,000 sequences: compiled
 * code, and what fast-check keeps.
 */
const leastLeakBytes = 16;

test("damaged packets: read or refused alike however they are cut, without a crash, a hang or growth", () => {
  const total = rounds(1_000_000, 50_000);
  const half = total / batches / 2;
  readDamaged(4, half);
  readDamaged(5, half);
  const samples: number[] = [];
  let sequences = 0;
  let slowestMs = 0;
  for (let batch = 0; batch < batches; batch++) {
    const startedMs = performance.now();
    sequences += readDamaged(4, half) + readDamaged(5, half);
    slowestMs = Math.max(slowestMs, performance.now() - startedMs);
    samples.push(heapBytes());
    figures("damaged MQTT packets", { sequences, "heap (bytes)": samples.at(-1) ?? 0 });
  }
  const bytesEach = slopeOf(samples) / (total / batches);
  figures("damaged MQTT packets", {
    sequences,
    "heap slope (bytes a sequence)": bytesEach.toFixed(2),
    "slowest batch (ms)": Math.round(slowestMs),
  });
  expect(sequences).toBeGreaterThanOrEqual(total);
  expect(bytesEach).toBeLessThan(leastLeakBytes);
});
