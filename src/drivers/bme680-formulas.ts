import { GatewayError } from "../core/errors.ts";
import { signed } from "./registers.ts";

/**
 * The floating point compensation of Bosch's BME68x Sensor API (BST-BME680-DS001 §3.3, §3.4). Names are those of the
 * datasheet, `par_` left out; `T` holds T3 times 16, so that the formula of the BME280 serves.
 */
export interface Bme680Calibration {
  readonly T: readonly [number, number, number];
  readonly P: readonly [number, number, number, number, number, number, number, number, number, number];
  readonly H: readonly [number, number, number, number, number, number, number];
  readonly G: readonly [number, number, number];
  readonly heatRange: number;
  readonly heatValue: number;
  readonly switchingError: number;
}

/** 0x8A to 0xA0, 0xE1 to 0xEE and 0x00 to 0x04 (§3.11.1). Throws BAD_VALUE where they cannot be calibration values. */
export function decodeCalibration(first: Uint8Array, second: Uint8Array, third: Uint8Array): Bme680Calibration {
  const [a, b] = [first, second].map((bytes) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  if (!a || !b) throw new Error("two views");
  const T1 = b.getUint16(8, true);
  const P1 = a.getUint16(4, true);
  if (T1 === 0 || P1 === 0 || (T1 === 0xffff && P1 === 0xffff)) {
    throw new GatewayError("BAD_VALUE", `the chip has no calibration values: T1 is ${T1}, P1 is ${P1}`);
  }
  const shared = b.getUint8(1);
  const H1 = (b.getUint8(2) << 4) | (shared & 0xf);
  const H2 = (b.getUint8(0) << 4) | (shared >> 4);
  const [heatValue = 0, , heatRange = 0, , switching = 0] = third;
  return {
    T: [T1, a.getInt16(0, true), a.getInt8(2) * 16],
    P: [
      P1,
      a.getInt16(6, true),
      a.getInt8(8),
      a.getInt16(10, true),
      a.getInt16(12, true),
      a.getInt8(15),
      a.getInt8(14),
      a.getInt16(18, true),
      a.getInt16(20, true),
      a.getUint8(22),
    ],
    H: [H1, H2, b.getInt8(3), b.getInt8(4), b.getInt8(5), b.getUint8(6), b.getInt8(7)],
    G: [b.getInt8(12), b.getInt16(10, true), b.getInt8(13)],
    heatRange: (heatRange >> 4) & 3,
    heatValue: signed(heatValue, 8),
    switchingError: signed(switching, 8) >> 4,
  };
}

export function hectopascal680(code: number, fine: number, { P }: Bme680Calibration): number {
  const [P1, P2, P3, P4, P5, P6, P7, P8, P9, P10] = P;
  const centred = fine / 2 - 64000;
  const offset = ((centred * centred * P6) / 131072 + centred * P5 * 2) / 4 + P4 * 65536;
  const slope = (1 + ((P3 * centred * centred) / 16384 + P2 * centred) / 524288 / 32768) * P1;
  const raw = ((1048576 - code - offset / 4096) * 6250) / slope;
  const square = (P9 * raw * raw) / 2147483648;
  const cube = (raw / 256) ** 3 * (P10 / 131072);
  return (raw + (square + raw * (P8 / 32768) + cube + P7 * 128) / 16) / 100;
}

/** Relative humidity in per cent, cut at 0 and 100 as Bosch's code does. */
export function humidity680(
  code: number,
  fine: number,
  { H: [H1, H2, H3, H4, H5, H6, H7] }: Bme680Calibration,
): number {
  const temperatureC = fine / 5120;
  const centred = code - (H1 * 16 + (H3 / 2) * temperatureC);
  const gain = 1 + (H4 / 16384) * temperatureC + (H5 / 1048576) * temperatureC * temperatureC;
  const linear = centred * (H2 / 262144) * gain;
  const curved = linear + (H6 / 16384 + (H7 / 2097152) * temperatureC) * linear * linear;
  return Math.min(100, Math.max(0, curved));
}

/** In per cent, by gas range: what the switches between the ranges add (table 16). */
const RANGE_GAIN = [0, 0, 0, 0, 0, -1, 0, -0.8, 0, 0, -0.2, -0.5, 0, -1, 0, 0];
const RANGE_OFFSET = [0, 0, 0, 0, 0.1, 0.7, 0, -0.8, -0.1, 0, 0, 0, 0, 0, 0, 0];

/** In Ω. The BME688 (`isHigh`) has a converter of its own, without calibration. */
export function gasResistance(
  code: number,
  range: number,
  isHigh: boolean,
  { switchingError }: Bme680Calibration,
): number {
  if (isHigh) return (1_000_000 * (262144 >> range)) / (4096 + 3 * (code - 512));
  const full = (1340 + 5 * switchingError) * (1 + (RANGE_GAIN[range] ?? 0) / 100);
  const offset = 1 + (RANGE_OFFSET[range] ?? 0) / 100;
  return 1 / (offset * 0.000000125 * 2 ** range * ((code - 512) / full + 1));
}

/** The heater's code for a temperature of the plate, given that of the air (§3.3.5). */
export function heaterCode(
  plateC: number,
  ambientC: number,
  { G: [G1, G2, G3], heatRange, heatValue }: Bme680Calibration,
) {
  const cold = G1 / 16 + 49;
  const slope = (G2 / 32768) * 0.0005 + 0.00235;
  const hot = cold * (1 + slope * plateC) + (G3 / 1024) * ambientC;
  const code = 3.4 * (hot * (4 / (4 + heatRange)) * (1 / (1 + heatValue * 0.002)) - 25);
  return Math.min(255, Math.max(0, Math.trunc(code)));
}

/** 6 bits of milliseconds and a factor of 1, 4, 16 or 64 (§5.3.3.3). */
export function heaterWaitCode(waitMs: number): number {
  if (waitMs >= 0xfc0) return 0xff;
  let ms = waitMs;
  let factor = 0;
  for (; ms > 0x3f; factor++) ms = Math.floor(ms / 4);
  return (factor << 6) | ms;
}
