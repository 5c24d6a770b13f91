import { expect, it } from "vitest";
import { storeCalls } from "../../src/store/database/database-calls.ts";
import { segmentsOf } from "../../src/store/segments.ts";
import { Disk } from "../simulation/disk.ts";

const BOOT = "00000000-0000-4000-8000-000000000001";

function outbox(...positions: readonly number[]) {
  const records = positions.map((position) => ({
    position,
    epoch: 1,
    seq: position,
    record: { kind: "reading", device: "d", values: { n: position }, at: { boot: BOOT, monoMs: position } } as const,
  }));
  return { outbox: { segments: segmentsOf(records, 0), head: positions.at(-1) ?? 0, destinations: [] } };
}

it("what a failed sync leaves in doubt is replaced, though some of it was dropped or delivered meanwhile", async () => {
  const disk = new Disk();
  const calls = storeCalls(disk.mount());
  calls.open(0);
  calls.write(outbox(1, 2, 3));
  disk.fault = "sync_fails";
  expect(() => calls.write(outbox(4, 5, 6, 7, 8))).toThrow("EIO");
  expect(() => calls.write(outbox(6, 7, 8, 9))).toThrow("EIO");
  disk.fault = undefined;
  calls.write(outbox(7, 9, 10));
  expect(calls.open(0).ranges).toEqual([
    { from: 1, to: 3 },
    { from: 7, to: 7 },
    { from: 9, to: 10 },
  ]);
});
