import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { readDamaged } from "../broker/fuzz-rounds.ts";
import { figures, rounds } from "./campaign.ts";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

function heapBytes(): number {
  collect();
  return process.memoryUsage().heapUsed;
}

/** Bytes a sequence, by least squares over evenly spaced samples. */
function slope(samples: readonly number[], step: number): number {
  const middle = (samples.length - 1) / 2;
  let above = 0;
  let below = 0;
  for (const [i, bytes] of samples.entries()) {
    above += (i - middle) * bytes;
    below += (i - middle) ** 2;
  }
  return above / below / step;
}

const batches = 20;

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
  }
  const bytesEach = slope(samples, total / batches);
  expect(sequences).toBeGreaterThanOrEqual(total);
  // A leak keeps at least an object of each sequence; what compiled code and fast-check keep is far below.
  expect(bytesEach * total).toBeLessThan(8_000_000);
  figures("damaged MQTT packets", {
    sequences,
    "heap slope (bytes a sequence)": bytesEach.toFixed(2),
    "slowest batch (ms)": Math.round(slowestMs),
  });
});
