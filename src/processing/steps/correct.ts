import { evaluate } from "../expression/evaluate.ts";
import type { Point, SettingsOf, Step } from "../step.ts";

/** Steps that make one value of one value, and remember nothing. */
type Stateless<Settings> = Step<Settings, null>;

export const calibrate: Stateless<SettingsOf<"calibrate">> = {
  initial: null,
  apply({ scale, offset, points }, state, { value }) {
    return { state, value: (points ? interpolated(points, value) : value) * scale + offset };
  },
};

export const round: Stateless<SettingsOf<"round">> = {
  initial: null,
  apply: ({ decimals }, state, { value }) => ({ state, value: Number(value.toFixed(decimals)) }),
};

export const clamp: Stateless<SettingsOf<"clamp">> = {
  initial: null,
  apply: ({ min = -Infinity, max = Infinity }, state, { value }) => ({
    state,
    value: Math.min(Math.max(value, min), max),
  }),
};

export const formula: Stateless<SettingsOf<"formula">> = {
  initial: null,
  apply({ expression }, state, { value, values }) {
    const result = evaluate(expression, new Map(values).set("value", value));
    return result === undefined ? { state } : { state, value: result };
  },
};

/** Linear between the two points around it; beyond the ends the outer lines go on. Points are in ascending order. */
function interpolated(points: readonly Point[], raw: number): number {
  const above = points.findIndex(([at]) => at >= raw);
  const upper = above < 0 ? points.length - 1 : Math.max(above, 1);
  const [[x0, y0], [x1, y1]] = [points[upper - 1] as Point, points[upper] as Point];
  return y0 + ((raw - x0) * (y1 - y0)) / (x1 - x0);
}
