import type { QuantityName } from "../../core/quantity.ts";
import { absoluteHumidity, dewPoint, seaLevelPressure, vapourPressureDeficit } from "../moist-air.ts";

export interface KnownFunction {
  /** As it is called, for people. */
  readonly usage: string;
  readonly takes: { readonly min: number; readonly max: number };
  /** What it gives, where that is always the same. */
  readonly quantity?: QuantityName;
  readonly unit?: string;
  call(...args: number[]): number;
}

const exactly = (count: number) => ({ min: count, max: count });
const several = { min: 1, max: 16 };

/** What a formula can call. NaN and infinities are no values: whoever calls drops them. */
export const functions: Readonly<Record<string, KnownFunction>> = {
  abs: { usage: "abs(x)", takes: exactly(1), call: Math.abs },
  sqrt: { usage: "sqrt(x)", takes: exactly(1), call: Math.sqrt },
  exp: { usage: "exp(x)", takes: exactly(1), call: Math.exp },
  ln: { usage: "ln(x)", takes: exactly(1), call: Math.log },
  log10: { usage: "log10(x)", takes: exactly(1), call: Math.log10 },
  sin: { usage: "sin(radians)", takes: exactly(1), call: Math.sin },
  cos: { usage: "cos(radians)", takes: exactly(1), call: Math.cos },
  atan2: { usage: "atan2(y, x)", takes: exactly(2), call: Math.atan2 },
  min: { usage: "min(x, y, ...)", takes: several, call: Math.min },
  max: { usage: "max(x, y, ...)", takes: several, call: Math.max },
  clamp: { usage: "clamp(x, low, high)", takes: exactly(3), call: (x, low, high) => Math.min(Math.max(x, low), high) },
  dew_point: {
    usage: "dew_point(temperature, humidity)",
    takes: exactly(2),
    quantity: "temperature",
    call: dewPoint,
  },
  absolute_humidity: {
    usage: "absolute_humidity(temperature, humidity)",
    takes: exactly(2),
    quantity: "absolute_humidity",
    call: absoluteHumidity,
  },
  vapour_pressure_deficit: {
    usage: "vapour_pressure_deficit(temperature, humidity)",
    takes: exactly(2),
    quantity: "pressure",
    unit: "kPa",
    call: vapourPressureDeficit,
  },
  sea_level_pressure: {
    usage: "sea_level_pressure(pressure, temperature, altitude in metres)",
    takes: exactly(3),
    quantity: "pressure",
    call: seaLevelPressure,
  },
};
