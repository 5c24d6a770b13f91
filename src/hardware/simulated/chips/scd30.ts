import { nack, type SimulatedChip, type World } from "../chip.ts";
import { sensirionWord } from "./sensirion.ts";

const SETTINGS = new Map([
  [0x4600, 2],
  [0x5306, 0],
  [0x5403, 0],
  [0x5102, 0],
]);

/** SCD30 (interface description v1.0): a setting without its word is a question; numbers of two words each. */
export function scd30Chip(world: World): SimulatedChip {
  const settings = new Map(SETTINGS);
  let startedMs = Number.POSITIVE_INFINITY;
  let readPeriods = 0;
  let askedMs = 0;
  let answer: number[] | undefined;
  const periods = () => Math.max(0, Math.floor((world.monoMs() - startedMs) / ((settings.get(0x4600) ?? 2) * 1000)));

  const measurement = () => {
    if (periods() <= readPeriods) throw nack();
    readPeriods = periods();
    return [world.co2Ppm(), world.temperatureC(), world.humidityPercent()].flatMap(floatWords);
  };
  const execute = (command: number, word: number | undefined): readonly number[] | undefined => {
    if (command === 0x0010 && word !== undefined) {
      startedMs = world.monoMs();
      return undefined;
    }
    if (settings.has(command)) {
      if (word === undefined) return [settings.get(command) ?? 0];
      settings.set(command, word);
      return undefined;
    }
    if (command === 0x0202) return [periods() > readPeriods ? 1 : 0];
    if (command === 0x0300) return measurement();
    if (command === 0xd100) return [0x0342];
    throw nack();
  };

  return {
    write([high = 0, low = 0, ...frame]) {
      const [first = 0, second = 0, crc] = frame;
      const word = (first << 8) | second;
      if (frame.length > 0 && sensirionWord(word)[2] !== crc) throw nack();
      answer = execute((high << 8) | low, frame.length > 0 ? word : undefined)?.flatMap(sensirionWord);
      askedMs = world.monoMs();
    },
    read(length) {
      // 3 ms between the question and the answer (§1.1).
      if (!answer || world.monoMs() < askedMs + 3) throw nack();
      return Uint8Array.from({ length }, (_, index) => answer?.[index] ?? 0xff);
    },
  };
}

export function floatWords(value: number): number[] {
  const view = new DataView(new ArrayBuffer(4));
  view.setFloat32(0, value);
  return [view.getUint16(0), view.getUint16(2)];
}
