import type { I2cDevice } from "../hardware/i2c.ts";
import { checkedWords, crc8, hexWords } from "./crc.ts";
import type { DriverContext, Identity } from "./driver.ts";

/** What Sensirion's chips with 16-bit commands have in common: the frame, and a stop between asking and reading. */

/** Command and words, each word with its CRC. */
export function commandFrame(command: number, ...words: number[]): number[] {
  const bytesOf = (word: number) => [(word >> 8) & 0xff, word & 0xff];
  const checked = words.flatMap((word) => [...bytesOf(word), crc8(Uint8Array.from(bytesOf(word)))]);
  return [...bytesOf(command), ...checked];
}

export interface Command {
  readonly code: number;
  /** The longest time until the answer can be read, or the next command is taken. */
  readonly waitMs: number;
}

/** Sends a command and waits until the chip is done with it. */
export async function tell(
  chip: I2cDevice,
  { code, waitMs }: Command,
  { clock }: DriverContext,
  words: readonly number[] = [],
  signal?: AbortSignal,
): Promise<void> {
  await chip.write(commandFrame(code, ...words));
  await clock.sleep(waitMs, signal);
}

/** Sends a command, waits, and reads the words that it answers. Throws CHECKSUM. */
export async function ask(
  chip: I2cDevice,
  command: Command,
  answerWords: number,
  context: DriverContext,
  words: readonly number[] = [],
  signal?: AbortSignal,
): Promise<number[]> {
  await tell(chip, command, context, words, signal);
  return checkedWords(await chip.read(3 * answerWords));
}

/** The three words that most of them have as a serial number. */
export async function askSerial(chip: I2cDevice, context: DriverContext): Promise<Identity> {
  return { serial: hexWords(await ask(chip, { code: 0x3682, waitMs: 1 }, 3, context)) };
}

/** Temperature as most of their chips code it: -45 to 130 °C. */
export function celsiusOf(word: number): number {
  return -45 + (175 * word) / 65535;
}

export function percentOf(word: number): number {
  return (100 * word) / 65535;
}

/** IEEE 754 single precision, over two words. */
export function floatOf(high: number, low: number): number {
  const view = new DataView(new ArrayBuffer(4));
  view.setUint16(0, high);
  view.setUint16(2, low);
  return view.getFloat32(0);
}
