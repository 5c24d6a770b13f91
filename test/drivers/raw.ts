import { expect } from "vitest";
import { type Driver, isOnI2c, type Sensor } from "../../src/drivers/driver.ts";
import type { SimulatedChip } from "../../src/hardware/simulated/chip.ts";
import { wordRegisterChip } from "../../src/hardware/simulated/chips/registers.ts";
import { type Bench, bench } from "./bench.ts";

const never = new AbortController().signal;

/** A driver's first reading of a chip that answers with these bytes, whatever it is told. */
export async function readingOf(driver: Driver, options: Readonly<Record<string, unknown>>, chip: SimulatedChip) {
  const { sensor, letPass } = await opened(driver, options, chip);
  return await letPass(sensor.read(never));
}

export async function opened(
  driver: Driver,
  options: Readonly<Record<string, unknown>>,
  chip: SimulatedChip,
): Promise<Bench & { readonly sensor: Sensor }> {
  const parts = bench(driver, options);
  (await parts.hardware.i2c("sim")).plug(isOnI2c(driver) ? driver.addresses[0] : expect.fail("not on I2C"), chip);
  return { ...parts, sensor: await parts.letPass(parts.open()) };
}

/** 256 registers of one byte; what is written to those in `fixed` is lost. */
export function bytesChip(fixed: Readonly<Record<number, readonly number[]>>) {
  const registers = new Uint8Array(256);
  const isFixed = new Set<number>();
  let pointer = 0;
  for (const [first, bytes] of Object.entries(fixed)) {
    registers.set(bytes, Number(first));
    bytes.forEach((_, index) => {
      isFixed.add(Number(first) + index);
    });
  }
  const chip: SimulatedChip = {
    write([register = 0, ...bytes]) {
      pointer = register;
      for (const byte of bytes) {
        if (!isFixed.has(pointer)) registers[pointer] = byte;
        pointer++;
      }
    },
    read: (length) => Uint8Array.from({ length }, () => registers[pointer++ & 0xff] ?? 0),
  };
  return { ...chip, registers };
}

/** Registers of 16 bits; what is written to those in `fixed` is lost, and all that is written is kept. */
export function wordsChip(fixed: Readonly<Record<number, number>>, { littleEndian = false } = {}) {
  const written: (readonly [register: number, word: number])[] = [];
  const held = new Map<number, number>();
  const chip = wordRegisterChip({
    littleEndian,
    read: (register) => fixed[register] ?? held.get(register) ?? 0,
    write(register, word) {
      written.push([register, word]);
      held.set(register, word);
    },
  });
  return { ...chip, written };
}
