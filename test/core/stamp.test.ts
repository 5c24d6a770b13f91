import { expect, test } from "vitest";
import { stampNow } from "../../src/core/clock.ts";
import { recordsOf, segmentsOf } from "../../src/store/segments.ts";
import { FakeClock } from "../fakes/clock.ts";

test("a stamp is the same once it was on the disk", async () => {
  const clock = new FakeClock();
  await clock.advance(1234.567);
  const record = { kind: "reading", device: "d", values: { n: 1 }, at: stampNow(clock) } as const;
  const [segment] = segmentsOf([{ position: 1, epoch: 1, seq: 1, record }], 0);
  const kept = segment && recordsOf(segment, [{ epoch: 1, base: 0, boot: record.at.boot }]);
  expect(kept?.[0]?.record).toEqual(record);
});
