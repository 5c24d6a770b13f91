/** CRC-8 with polynomial 0x31, most significant bit first. */
export function sensirionCrc(bytes: readonly number[], initial: number): number {
  let crc = initial;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 0x80 ? ((crc << 1) ^ 0x131) & 0xff : crc << 1;
  }
  return crc;
}

/** A 16-bit word as Sensirion sends it: most significant byte first, then its CRC-8, which starts at 0xFF. */
export function sensirionWord(word: number): number[] {
  const bytes = [(word >> 8) & 0xff, word & 0xff];
  return [...bytes, sensirionCrc(bytes, 0xff)];
}

/** The 16-bit code for `value` on a scale that starts at `offset` and is `span` wide, cut at its ends. */
export function scaledWord(value: number, offset: number, span: number): number {
  return Math.min(0xffff, Math.max(0, Math.round(((value - offset) / span) * 0xffff)));
}
