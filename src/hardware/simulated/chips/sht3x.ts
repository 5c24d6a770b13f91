import { nack, type SimulatedChip, type World } from "../chip.ts";
import { scaledWord, sensirionWord } from "./sensirion.ts";

/** Single shot without clock stretching -> typical duration (datasheet SHT3x-DIS v6, §2.2 table 4 and §4.3 table 9). */
const MEASUREMENT_MS: ReadonlyMap<number, number> = new Map([
  [0x2400, 12.5],
  [0x240b, 4.5],
  [0x2416, 2.5],
]);
/** Commands that take this long and answer nothing: soft reset, break, heater, clear status (§4.8 to §4.11). */
const SILENT_MS: ReadonlyMap<number, number> = new Map([
  [0x30a2, 1],
  [0x3093, 1],
  [0x306d, 0],
  [0x3066, 0],
  [0x3041, 0],
]);
const READ_STATUS = 0xf32d;
const READ_SERIAL = 0x3682;
const SERIAL = [0x0a1b, 0x2c3d];

/** SHT30, SHT31, SHT35: two command bytes; no acknowledge while it measures, to other commands, or to a read without data. */
export function sht3xChip(world: World): SimulatedChip {
  let readyMs = Number.NEGATIVE_INFINITY;
  let answer: number[] | undefined;

  const measured = () => [
    ...sensirionWord(scaledWord(world.temperatureC(), -45, 175)),
    ...sensirionWord(scaledWord(world.humidityPercent(), 0, 100)),
  ];

  const execute = (command: number) => {
    const durationMs = MEASUREMENT_MS.get(command) ?? SILENT_MS.get(command);
    const answers = command === READ_STATUS || command === READ_SERIAL;
    if (durationMs === undefined && !answers) throw nack();
    readyMs = world.monoMs() + (durationMs ?? 0);
    answer = undefined;
    if (MEASUREMENT_MS.has(command)) answer = measured();
    if (command === READ_STATUS) answer = sensirionWord(0x0000);
    if (command === READ_SERIAL) answer = SERIAL.flatMap(sensirionWord);
  };

  return {
    write([high = 0, low]) {
      if (world.monoMs() < readyMs || low === undefined) throw nack();
      execute((high << 8) | low);
    },
    read(length) {
      if (world.monoMs() < readyMs || !answer) throw nack();
      const bytes = Uint8Array.from({ length }, (_, index) => answer?.[index] ?? 0xff);
      answer = undefined;
      return bytes;
    },
  };
}
