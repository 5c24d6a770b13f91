import { expect, test } from "vitest";
import { busName } from "../../src/hardware/bus-name.ts";
import { stepsOf } from "../../src/hardware/transfer.ts";

const bytes = (length: number) => new Uint8Array(length);

test("one byte written before a read is a combined transfer", () => {
  expect(stepsOf("i2c-1", { address: 0x76, write: Uint8Array.of(0xf7), read: 8 })).toEqual([
    { kind: "combined", register: 0xf7, length: 8 },
  ]);
});

test("more bytes before a read are two transfers with a stop between", () => {
  const steps = stepsOf("i2c-1", { address: 0x44, write: Uint8Array.of(0x24, 0x00), read: 6 });
  expect(steps.map(({ kind }) => kind)).toEqual(["write", "read"]);
});

test.each([
  { address: 0x00, read: 1 },
  { address: 0x78, read: 1 },
  { address: 1.5, read: 1 },
  { address: 0x40 },
  { address: 0x40, write: bytes(0) },
  { address: 0x40, write: bytes(8193) },
  { address: 0x40, read: 0 },
  { address: 0x40, read: 8193 },
  { address: 0x40, write: bytes(1), read: 33 },
])("%j is BUS_UNSUPPORTED", (transfer) => {
  expect(() => stepsOf("i2c-1", transfer)).toThrow(expect.objectContaining({ code: "BUS_UNSUPPORTED" }));
});

test.each([
  ["1", "i2c-1"],
  ["01", "i2c-1"],
  ["i2c-20", "i2c-20"],
  ["/dev/i2c-1", "i2c-1"],
  ["sim", "sim"],
  ["i2c-", "i2c-"],
])("the bus called %j is %s", (written, name) => {
  expect(busName(written)).toBe(name);
});
