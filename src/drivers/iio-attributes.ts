import type { ChannelFacts } from "./driver.ts";

/** A channel as the names of its files say it. */
export interface IioAttribute {
  readonly key: string;
  readonly facts: ChannelFacts;
  /** As in the file's name: `temp`, `humidityrelative`. */
  readonly type: string;
  /** `in_…_input` where the kernel computes the value, else `in_…_raw`. */
  readonly valueFile: string;
  readonly offsetFile?: string;
  readonly scaleFile?: string;
  readonly labelFile?: string;
  /** From the kernel's unit to ours. */
  readonly factor: number;
}

interface Kind {
  /** Starts the key. */
  readonly key: string;
  readonly factor: number;
  readonly facts: ChannelFacts;
}

const DEGREES_PER_RADIAN = 180 / Math.PI;

/** Type of the file's name -> what it is; units of the kernel from Documentation/ABI/testing/sysfs-bus-iio. */
const kinds: ReadonlyMap<string, Kind> = new Map<string, Kind>([
  // m°C, m%, kPa, lx
  ["temp", { key: "temperature", factor: 1e-3, facts: { quantity: "temperature", min: -273.15, max: 2000 } }],
  ["humidityrelative", { key: "humidity", factor: 1e-3, facts: { quantity: "humidity", min: 0, max: 100 } }],
  ["pressure", { key: "pressure", factor: 10, facts: { quantity: "pressure", min: 0 } }],
  ["illuminance", { key: "illuminance", factor: 1, facts: { quantity: "illuminance", min: 0 } }],
  // mV, mA, mW, J, Ω
  ["voltage", { key: "voltage", factor: 1e-3, facts: { quantity: "voltage" } }],
  ["current", { key: "current", factor: 1e-3, facts: { quantity: "current" } }],
  ["power", { key: "power", factor: 1e-3, facts: { quantity: "power" } }],
  ["energy", { key: "energy", factor: 1 / 3.6e6, facts: { quantity: "energy", min: 0 } }],
  ["resistance", { key: "resistance", factor: 1, facts: { quantity: "resistance", min: 0 } }],
  // m/s², rad/s, gauss, rad
  ["accel", { key: "acceleration", factor: 1, facts: { quantity: "acceleration" } }],
  ["anglvel", { key: "angular_velocity", factor: DEGREES_PER_RADIAN, facts: { quantity: "angular_velocity" } }],
  ["magn", { key: "magnetic_field", factor: 100, facts: { quantity: "magnetic_field" } }],
  ["angl", { key: "angle", factor: DEGREES_PER_RADIAN, facts: { quantity: "angle" } }],
  ["incli", { key: "inclination", factor: 1, facts: { quantity: "angle", title: "Inclination" } }],
  ["gravity", { key: "gravity", factor: 1, facts: { quantity: "acceleration", title: "Gravity" } }],
  // nF, S/m
  [
    "capacitance",
    { key: "capacitance", factor: 1, facts: { quantity: "number", title: "Capacitance", unit: "nF", decimals: 3 } },
  ],
  [
    "electricalconductivity",
    {
      key: "conductivity",
      factor: 1,
      facts: { quantity: "number", title: "Conductivity", unit: "S/m", decimals: 6, min: 0 },
    },
  ],
  // m, per cent, µg/m³
  ["distance", { key: "distance", factor: 1000, facts: { quantity: "distance", min: 0 } }],
  ["concentration", { key: "concentration", factor: 1, facts: { quantity: "concentration", min: 0 } }],
  ["concentration_co2", { key: "carbon_dioxide", factor: 1e4, facts: { quantity: "carbon_dioxide", min: 0 } }],
  ["concentration_voc", { key: "tvoc", factor: 1e7, facts: { quantity: "tvoc", min: 0 } }],
  ["massconcentration_pm1", { key: "pm1", factor: 1, facts: { quantity: "pm1", min: 0 } }],
  ["massconcentration_pm2p5", { key: "pm25", factor: 1, facts: { quantity: "pm25", min: 0 } }],
  ["massconcentration_pm4", { key: "pm4", factor: 1, facts: { quantity: "pm4", min: 0 } }],
  ["massconcentration_pm10", { key: "pm10", factor: 1, facts: { quantity: "pm10", min: 0 } }],
  ["ph", { key: "ph", factor: 1, facts: { quantity: "ph", min: 0, max: 14 } }],
  ["uvindex", { key: "uv_index", factor: 1, facts: { quantity: "uv_index", min: 0 } }],
  // Without a unit: the chip's own counts.
  ["intensity", { key: "intensity", factor: 1, facts: { quantity: "number", title: "Intensity" } }],
  ["proximity", { key: "proximity", factor: 1, facts: { quantity: "number", title: "Proximity" } }],
  ["count", { key: "count", factor: 1, facts: { quantity: "number", title: "Count" } }],
]);

/** `in_<type>[index][-<type>index][_<modifier>]_(input|raw)`. */
const VALUE = /^in_([a-z]+)(\d+)?(?:-[a-z]+(\d+))?((?:_[a-z0-9]+)*?)_(input|raw)$/;

/** `_x_peak`: what it is of, and which of its values. */
const STATISTIC = /^(.*?)(_peak|_trough|_mean)?$/;
/** Of which there is no unit. */
const SQUARED = "_squared";

/** The channels that a directory's file names tell of. `input` goes before `raw`; what we have no quantity for is left out. */
export function iioAttributes(names: readonly string[]): IioAttribute[] {
  const attributes = new Map<string, IioAttribute>();
  for (const name of names.toSorted()) {
    const attribute = attributeOf(name, new Set(names));
    if (attribute && !attributes.has(attribute.key)) attributes.set(attribute.key, attribute);
  }
  return [...attributes.values()];
}

function attributeOf(valueFile: string, names: ReadonlySet<string>): IioAttribute | undefined {
  const [, type = "", index, second, modifier = "", form] = VALUE.exec(valueFile) ?? [];
  const special = kinds.get(type + modifier);
  const kind = special ?? kinds.get(type);
  if (!kind) return undefined;
  const which = [index, second, special ? undefined : modifier.slice(1)].filter(Boolean);
  const differential = second === undefined ? "" : `-${type}`;
  const own = valueFile.slice(0, -`_${form}`.length);
  const [, axis = "", statistic = ""] = STATISTIC.exec(modifier) ?? [];
  // From the channel's own file to those that channels of its type share; peaks may have a scale of their own.
  const starts = [
    own,
    `in_${type}${differential}${modifier}`,
    ...(statistic && [`in_${type}${statistic}`, `in_${type}${index ?? ""}${axis}`, `in_${type}${axis}`]),
    `in_${type}${index ?? ""}`,
    `in_${type}${differential}`,
  ];
  const fileFor = (what: string) => starts.map((start) => `${start}_${what}`).find((file) => names.has(file));
  const scaleFile = form === "raw" ? fileFor("scale") : undefined;
  const offsetFile = form === "raw" ? fileFor("offset") : undefined;
  const isInUnit = (form === "input" || scaleFile !== undefined) && !modifier.includes(SQUARED);
  return {
    key: [kind.key, ...which].join("_"),
    type,
    valueFile,
    ...measuredIn(kind, which.join(" "), isInUnit),
    ...(offsetFile && { offsetFile }),
    ...(scaleFile && { scaleFile }),
    ...(names.has(`${own}_label`) && { labelFile: `${own}_label` }),
  };
}

/** A raw value without a scale is in no unit: counts of the chip's own. */
function measuredIn(kind: Kind, which: string, scaled: boolean): Pick<IioAttribute, "facts" | "factor"> {
  const name = `${kind.key.charAt(0).toUpperCase()}${kind.key.slice(1).replaceAll("_", " ")}`;
  const title = which && { title: `${name} ${which}` };
  if (!scaled) return { factor: 1, facts: { quantity: "number", title: name, ...title } };
  return { factor: kind.factor, facts: { ...kind.facts, ...title } };
}
