import { nack, type SimulatedChip, type World } from "../chip.ts";
import { coded } from "./registers.ts";

const BOTH = 0x1000;

/** HDC1080 (SNAS672A): the pointer to a measurement starts it, and until it is done nothing is acknowledged. */
export function hdc1080Chip(world: World): SimulatedChip {
  let config = BOTH;
  let pointer = 0;
  let readyMs = Number.NEGATIVE_INFINITY;
  let answer: readonly number[] = [];
  const word = (value: number) => coded(value, 0, 0xffff) & 0xfffc;
  const ids: Readonly<Record<number, number>> = { 251: 0x0102, 252: 0x0304, 253: 0x0500, 254: 0x5449, 255: 0x1050 };
  const measured = () => {
    const temperature = word(((world.temperatureC() + 40) / 165) * 65536);
    const humidity = word((world.humidityPercent() / 100) * 65536);
    if ((config & BOTH) !== 0) return [temperature, humidity];
    return [pointer === 0 ? temperature : humidity];
  };
  return {
    write([register = 0, ...value]) {
      if (world.monoMs() < readyMs || ![0, 2].includes(value.length)) throw nack();
      pointer = register;
      if (register === 0x02 && value.length === 2) config = ((value[0] ?? 0) << 8) | (value[1] ?? 0);
      answer = register === 0x02 ? [config] : [ids[register] ?? 0xffff];
      if (register > 0x01) return;
      answer = measured();
      readyMs = world.monoMs() + 13.5;
    },
    read(length) {
      if (world.monoMs() < readyMs) throw nack();
      const bytes = answer.flatMap((value) => [value >> 8, value & 0xff]);
      return Uint8Array.from({ length }, (_, index) => bytes[index] ?? 0xff);
    },
  };
}
