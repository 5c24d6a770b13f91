/**
 * Bosch's compensation in integers: 32 bits for temperature and humidity, 64 for pressure (BST-BMP280-DS001 §3.11.3,
 * BST-BME280-DS002 §4.2.3). `>>` is an arithmetic shift there as here.
 */

export interface IntegerTrimming {
  readonly T: readonly [number, number, number];
  readonly P: readonly [number, number, number, number, number, number, number, number, number];
}

export type IntegerHumidityTrimming = readonly [number, number, number, number, number, number];

export function integerFine(code: number, { T: [T1, T2, T3] }: IntegerTrimming): number {
  const linear = (((code >> 3) - (T1 << 1)) * T2) >> 11;
  const off = (code >> 4) - T1;
  return linear + ((((off * off) >> 12) * T3) >> 14);
}

/** In hundredths of a degree Celsius. */
export function integerTemperature(code: number, trimming: IntegerTrimming): number {
  return (integerFine(code, trimming) * 5 + 128) >> 8;
}

/** In 256ths of a pascal. */
export function integerPressure(code: number, fine: number, { P }: IntegerTrimming): number {
  const [P1 = 0n, P2 = 0n, P3 = 0n, P4 = 0n, P5 = 0n, P6 = 0n, P7 = 0n, P8 = 0n, P9 = 0n] = P.map(BigInt);
  const centred = BigInt(fine) - 128000n;
  const offset = centred * centred * P6 + ((centred * P5) << 17n) + (P4 << 35n);
  const bend = ((centred * centred * P3) >> 8n) + ((centred * P2) << 12n);
  const slope = (((1n << 47n) + bend) * P1) >> 33n;
  const raw = ((((1048576n - BigInt(code)) << 31n) - offset) * 3125n) / slope;
  const correction = ((P9 * (raw >> 13n) * (raw >> 13n)) >> 25n) + ((P8 * raw) >> 19n);
  return Number(((raw + correction) >> 8n) + (P7 << 4n));
}

/** In 1024ths of a per cent. */
export function integerHumidity(code: number, fine: number, [H1, H2, H3, H4, H5, H6]: IntegerHumidityTrimming): number {
  const centred = fine - 76800;
  const offset = ((code << 14) - (H4 << 20) - H5 * centred + 16384) >> 15;
  const bend = ((((centred * H6) >> 10) * (((centred * H3) >> 11) + 32768)) >> 10) + 2097152;
  const linear = offset * ((bend * H2 + 8192) >> 14);
  const curved = linear - (((((linear >> 15) * (linear >> 15)) >> 7) * H1) >> 4);
  return Math.min(419430400, Math.max(0, curved)) >> 12;
}
