import { expect, test } from "vitest";
import { sht4xChip } from "../../../src/hardware/simulated/chips/sht4x.ts";
import { simulatedWorld } from "../../../src/hardware/simulated/world.ts";
import { FakeClock } from "../../fakes/clock.ts";

function open() {
  const clock = new FakeClock();
  const world = { ...simulatedWorld(clock), temperatureC: () => 42.5, humidityPercent: () => 56.5 };
  return { clock, chip: sht4xChip(world) };
}

const nacked = expect.objectContaining({ code: "BUS_NACK" });

test("a measurement is two words with their CRC", async () => {
  const { clock, chip } = open();
  chip.write(Uint8Array.of(0xfd));
  await clock.advance(8.3);
  expect([...chip.read(6)]).toEqual([0x80, 0x00, 0xa2, 0x80, 0x00, 0xa2]);
});

test("it acknowledges neither reads nor writes while it measures", async () => {
  const { clock, chip } = open();
  chip.write(Uint8Array.of(0xfd));
  await clock.advance(6);
  expect(() => chip.read(6)).toThrow(nacked);
  expect(() => chip.write(Uint8Array.of(0xfd))).toThrow(nacked);
});

test("it acknowledges no read without a command before, nor a second one", async () => {
  const { clock, chip } = open();
  expect(() => chip.read(6)).toThrow(nacked);
  chip.write(Uint8Array.of(0xe0));
  await clock.advance(1.6);
  chip.read(6);
  expect(() => chip.read(6)).toThrow(nacked);
});

test("the serial number can be read at once", () => {
  const { chip } = open();
  chip.write(Uint8Array.of(0x89));
  expect([...chip.read(6)].filter((_, index) => index % 3 < 2)).toEqual([0x0f, 0x1e, 0x2d, 0x3c]);
});
