import { GatewayError } from "../core/errors.ts";

/**
 * CRC-8 with polynomial 0x31 (x⁸ + x⁵ + x⁴ + 1), most significant bit first, no final XOR. Sensirion, AHT20 and HDC302x
 * start at 0xFF (check: BE EF -> 92); HTU21D and Si7021 at 0x00.
 */
export function crc8(bytes: Uint8Array, initial: 0xff | 0x00 = 0xff): number {
  let crc: number = initial;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 0x80 ? ((crc << 1) ^ 0x31) & 0xff : crc << 1;
  }
  return crc;
}

/** SMBus' packet error code: CRC-8 with polynomial 0x07, starting at 0, over the addresses and all bytes (SMBus 3.2, §6.4). */
export function smbusPec(bytes: readonly number[]): number {
  let crc = 0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 0x80 ? ((crc << 1) ^ 0x07) & 0xff : crc << 1;
  }
  return crc;
}

/**
 * The 16-bit words of a Sensirion frame: each two bytes, most significant first, and their CRC.
 * Throws CHECKSUM when one does not match.
 */
export function checkedWords(frame: Uint8Array): number[] {
  const words: number[] = [];
  for (let at = 0; at + 2 < frame.length; at += 3) {
    const word = frame.subarray(at, at + 2);
    const [high = 0, low = 0] = word;
    const crc = frame[at + 2];
    if (crc8(word) !== crc) {
      throw new GatewayError(
        "CHECKSUM",
        `word ${words.length} has CRC 0x${crc?.toString(16)}, expected 0x${crc8(word).toString(16)}`,
      );
    }
    words.push((high << 8) | low);
  }
  return words;
}

/** Words as a serial number is printed: `0f1e2d3c`. */
export function hexWords(words: readonly number[]): string {
  return words.map((word) => word.toString(16).padStart(4, "0")).join("");
}
