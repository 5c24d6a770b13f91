/** Bosch's compensation in integers of 64 bits (BMP3 Sensor API). Divisions cut towards zero, as in C. */

/** Trimming values as the API's own tests could have them: 0x31 to 0x45, made up, of the size that real ones have. */
export const TRIMMING_BYTES = [
  0xbf, 0x6c, 0xa3, 0x49, 0xf6, 0x4b, 0xfc, 0x1c, 0xf6, 0x23, 0x00, 0x3f, 0x64, 0x7e, 0x75, 0xf3, 0xf6, 0x21, 0x43,
  0x14, 0xc4,
];
const T = [27839n, 18851n, -10n] as const;
const P = [-949n, -2532n, 35n, 0n, 25663n, 30078n, -13n, -10n, 17185n, 20n, -60n] as const;

export function integerTemperature388(code: number): { hundredths: number; linear: bigint } {
  const centred = BigInt(code) - (T[0] << 8n);
  const linear = (T[1] * centred * 262144n + centred * centred * T[2]) / 4294967296n;
  return { hundredths: Number((linear * 25n) / 16384n), linear };
}

/** In hundredths of a pascal. */
export function integerPressure388(code: number, linear: bigint): number {
  const [P1, P2, P3, P4, P5, P6, P7, P8, P9, P10, P11] = P;
  const adc = BigInt(code);
  const square = linear * linear;
  const cube = ((square / 64n) * linear) / 256n;
  const offset = P5 * 140737488355328n + (P8 * cube) / 32n + P7 * square * 16n + P6 * linear * 4194304n;
  const slope =
    (P1 - 16384n) * 70368744177664n + (P4 * cube) / 32n + P3 * square * 4n + (P2 - 16384n) * linear * 2097152n;
  const quadratic = (adc * (((P10 * linear + 65536n * P9) * adc) / 8192n / 10n)) / 512n;
  const cubic = (((P11 * adc * adc) / 65536n) * adc) / 128n;
  const sum = offset / 4n + (slope / 16777216n) * adc + quadratic * 10n + cubic;
  return Number((sum * 25n) / 1099511627776n);
}
