/** Bosch's compensation for the BME680 in integers of 32 bits (BME68x Sensor API). Shifts and divisions as in C. */

export interface IntegerCalibration680 {
  readonly T: readonly [number, number, number];
  readonly P: readonly [number, number, number, number, number, number, number, number, number, number];
  readonly H: readonly [number, number, number, number, number, number, number];
}

const shift = (value: number, bits: number) => Math.floor(value / 2 ** bits);

export function integerFine680(code: number, { T: [T1, T2, T3] }: IntegerCalibration680): number {
  const off = shift(code, 3) - T1 * 2;
  const square = shift(shift(off, 1) ** 2, 12);
  return shift(off * T2, 11) + shift(square * (T3 * 16), 14);
}

/** In hundredths of a degree Celsius. */
export function integerTemperature680(code: number, calibration: IntegerCalibration680): number {
  return shift(integerFine680(code, calibration) * 5 + 128, 8);
}

/** In pascal. */
export function integerPressure680(code: number, fine: number, { P }: IntegerCalibration680): number {
  const [P1, P2, P3, P4, P5, P6, P7, P8, P9, P10] = P;
  const centred = shift(fine, 1) - 64000;
  const square = shift(centred, 2) ** 2;
  const offset = shift(shift(shift(square, 11) * P6, 2) + centred * P5 * 2, 2) + P4 * 65536;
  const bend = shift(shift(shift(square, 13) * (P3 * 32), 3) + shift(P2 * centred, 1), 18);
  const slope = shift((32768 + bend) * P1, 15);
  const numerator = (1048576 - code - shift(offset, 12)) * 3125;
  const raw = numerator >= 0x40000000 ? Math.trunc(numerator / slope) * 2 : Math.trunc((numerator * 2) / slope);
  const quadratic = shift(P9 * shift(shift(raw, 3) ** 2, 13), 12);
  const linear = shift(shift(raw, 2) * P8, 13);
  const cubic = shift(shift(raw, 8) ** 3 * P10, 17);
  return raw + shift(quadratic + linear + cubic + P7 * 128, 4);
}

/** In thousandths of a per cent. */
export function integerHumidity680(code: number, fine: number, { H }: IntegerCalibration680): number {
  const [H1, H2, H3, H4, H5, H6, H7] = H;
  const hundredths = shift(fine * 5 + 128, 8);
  const centred = code - H1 * 16 - shift(Math.trunc((hundredths * H3) / 100), 1);
  const bend = shift(hundredths * Math.trunc((hundredths * H5) / 100), 6);
  const gain = Math.trunc((hundredths * H4) / 100) + Math.trunc(bend / 100) + 16384;
  const linear = centred * shift(H2 * gain, 10);
  const curve = shift(H6 * 128 + Math.trunc((hundredths * H7) / 100), 4);
  const curved = shift(curve * shift(shift(linear, 14) ** 2, 10), 1);
  return Math.min(100_000, Math.max(0, shift(shift(linear + curved, 10) * 1000, 12)));
}
