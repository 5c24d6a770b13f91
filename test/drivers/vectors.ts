import vectors from "../fixtures/chip-vectors.json" with { type: "json" };

export const chipVectors = vectors.vectors;

/** `BE EF` -> bytes. */
export function bytes(hex: string): Uint8Array {
  return Uint8Array.from(hex.split(" "), (byte) => Number.parseInt(byte, 16));
}

/** The vectors of one chip, each with a shape of its own. */
// biome-ignore lint/suspicious/noExplicitAny: what a vector holds is for the test that reads it
export function vectorsOf(chip: keyof typeof chipVectors): readonly { input: any; expect: any }[] {
  return chipVectors[chip];
}
