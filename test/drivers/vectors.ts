import vectors from "../fixtures/chip-vectors.json" with { type: "json" };

export const chipVectors = vectors.vectors;

/** `BE EF` -> bytes. */
export function bytes(hex: string): Uint8Array {
  return Uint8Array.from(hex.split(" "), (byte) => Number.parseInt(byte, 16));
}
