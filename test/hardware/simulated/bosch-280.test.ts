import { describe, expect, test } from "vitest";
import { bme280Chip } from "../../../src/hardware/simulated/chips/bme280.ts";
import { bmp280Chip } from "../../../src/hardware/simulated/chips/bmp280.ts";
import { simulatedWorld } from "../../../src/hardware/simulated/world.ts";
import { FakeClock } from "../../fakes/clock.ts";

const [CTRL_HUM, CTRL_MEAS, STATUS, DATA] = [0xf2, 0xf4, 0xf3, 0xf7];
/** Temperature and pressure once, forced mode. */
const FORCED = 0b001_001_01;
const NOTHING_YET = [0x80, 0, 0, 0x80, 0, 0, 0x80, 0];

function powerUp() {
  const clock = new FakeClock();
  const chip = bme280Chip(simulatedWorld(clock));
  const write = (...bytes: number[]) => chip.write(Uint8Array.from(bytes));
  const read = (register: number, length: number) => {
    write(register);
    return [...chip.read(length)];
  };
  return { clock, write, read };
}

describe("a simulated BME280", () => {
  test("asleep since power-on has nothing in its data registers", async () => {
    const { clock, read } = powerUp();
    await clock.advance(1000);
    expect(read(DATA, 8)).toEqual(NOTHING_YET);
  });

  test("shows the old data, and that it measures, until it is done; then it sleeps", async () => {
    const { clock, write, read } = powerUp();
    await clock.advance(2);
    write(CTRL_HUM, 1, CTRL_MEAS, FORCED);
    await clock.advance(7);
    expect([read(DATA, 8), read(STATUS, 1)]).toEqual([NOTHING_YET, [0b1000]]);
    await clock.advance(3);
    const measured = read(DATA, 8);
    expect(measured).not.toEqual(NOTHING_YET);
    expect([read(STATUS, 1), read(CTRL_MEAS, 1)]).toEqual([[0], [FORCED & ~0b11]]);
    await clock.advance(60_000);
    expect(read(DATA, 8)).toEqual(measured);
  });

  test("skips humidity where ctrl_hum was written after ctrl_meas", async () => {
    const { clock, write, read } = powerUp();
    write(CTRL_MEAS, FORCED);
    write(CTRL_HUM, 1);
    await clock.advance(20);
    expect(read(0xfd, 2)).toEqual([0x80, 0]);
    expect(read(0xfa, 3)).not.toEqual([0x80, 0, 0]);
  });

  test("copies its trimming values for 2 ms after a reset, which forgets every setting", async () => {
    const { clock, write, read } = powerUp();
    await clock.advance(5);
    write(CTRL_HUM, 5);
    write(0xe0, 0xb6);
    expect([read(STATUS, 1), read(CTRL_HUM, 1)]).toEqual([[1], [0]]);
    await clock.advance(2);
    expect(read(STATUS, 1)).toEqual([0]);
  });

  test("keeps its id and its trimming values, whatever is written there", () => {
    const { write, read } = powerUp();
    const before = read(0x88, 24);
    write(0xd0, 0x58);
    write(0x88, 0xff);
    expect([read(0xd0, 1), read(0x88, 24)]).toEqual([[0x60], before]);
  });
});

test("a simulated BMP280 has its own id and no humidity", async () => {
  const clock = new FakeClock();
  const chip = bmp280Chip(simulatedWorld(clock));
  chip.write(Uint8Array.of(0xd0));
  expect([...chip.read(1)]).toEqual([0x58]);
  chip.write(Uint8Array.of(CTRL_HUM, 1, CTRL_MEAS, FORCED));
  await clock.advance(20);
  chip.write(Uint8Array.of(CTRL_HUM));
  expect([...chip.read(1)]).toEqual([0]);
});
