import { GatewayError } from "../core/errors.ts";
import type { I2cDevice } from "../hardware/i2c.ts";
import { hexAddress } from "../hardware/transfer.ts";

/** What drivers of chips with registers share: words of 16 bits, signs, and saying who is not there. */

/** A 16-bit register, most significant byte first, as most chips send it. */
export async function readWord(chip: I2cDevice, register: number): Promise<number> {
  return bigEndian(await chip.readRegister(register, 2));
}

/** A 16-bit register, least significant byte first. */
export async function readWordLe(chip: I2cDevice, register: number): Promise<number> {
  return littleEndian(await chip.readRegister(register, 2));
}

export async function writeWord(chip: I2cDevice, register: number, word: number): Promise<void> {
  await chip.writeRegister(register, (word >> 8) & 0xff, word & 0xff);
}

export async function writeWordLe(chip: I2cDevice, register: number, word: number): Promise<void> {
  await chip.writeRegister(register, word & 0xff, (word >> 8) & 0xff);
}

export async function readByte(chip: I2cDevice, register: number): Promise<number> {
  const [byte = 0] = await chip.readRegister(register, 1);
  return byte;
}

/**
 * Sees to it that the bits of `mask` in an 8-bit register hold `bits`, and writes only where they do not: what a brown-out
 * erased comes back, and a register whose writing does more than store is left in peace.
 */
export async function ensureBits(chip: I2cDevice, register: number, mask: number, bits: number): Promise<void> {
  if (((await readByte(chip, register)) & mask) !== bits) await chip.writeRegister(register, bits);
}

/** Unsigned, most significant byte first; up to six bytes. */
export function bigEndian(bytes: Uint8Array): number {
  return bytes.reduce((value, byte) => value * 256 + byte, 0);
}

/** Unsigned, least significant byte first; up to six bytes. */
export function littleEndian(bytes: Uint8Array): number {
  return bytes.reduceRight((value, byte) => value * 256 + byte, 0);
}

/** The lowest `bits` of `code` in two's complement. */
export function signed(code: number, bits = 16): number {
  return (code << (32 - bits)) >> (32 - bits);
}

/** The signed 16-bit word at `start`, least significant byte first. */
export function signedWordLe(bytes: Uint8Array, start: number): number {
  return signed(littleEndian(bytes.subarray(start, start + 2)));
}

/** `0x0054` */
export function hex(value: number, digits = 2): string {
  return `0x${value.toString(16).padStart(digits, "0")}`;
}

/** CHIP_MISMATCH: what answers at the chip's address is not `wanted`. */
export function mismatch(chip: I2cDevice, wanted: string, found: string): GatewayError {
  const where = `${hexAddress(chip.address)} on ${chip.busName}`;
  return new GatewayError("CHIP_MISMATCH", `the chip at ${where} is not a ${wanted}: ${found}`);
}

/** Throws CHIP_MISMATCH unless an 8-bit id register holds one of the values. */
export async function expectId(chip: I2cDevice, wanted: string, register: number, ids: readonly number[]) {
  const id = await readByte(chip, register);
  if (!ids.includes(id)) throw mismatch(chip, wanted, `register ${hex(register)} holds ${hex(id)}`);
  return id;
}
