/**
 * What a channel measures. A quantity says once which unit it has on the wire, how many decimals are worth sending, and
 * what Home Assistant calls it; drivers, payloads, discovery and the reference derive from here.
 */
export interface Quantity {
  /** Name for people, and Home Assistant's default where it has no device class. */
  readonly title: string;
  /** Unit on the wire, in Home Assistant's exact spelling; absent for unitless values. */
  readonly unit?: string;
  readonly decimals: number;
  /** Home Assistant's sensor device class (or binary sensor's, for `binary` ones). */
  readonly deviceClass?: string;
  readonly stateClass?: "measurement" | "total" | "total_increasing";
  readonly kind: "number" | "binary" | "text" | "event";
  readonly icon?: string;
}

const measurement = { kind: "number", stateClass: "measurement" } as const;

export const quantities = {
  temperature: { ...measurement, title: "Temperature", unit: "°C", decimals: 2, deviceClass: "temperature" },
  humidity: { ...measurement, title: "Humidity", unit: "%", decimals: 1, deviceClass: "humidity" },
  absolute_humidity: {
    ...measurement,
    title: "Absolute humidity",
    unit: "g/m³",
    decimals: 2,
    deviceClass: "absolute_humidity",
  },
  pressure: { ...measurement, title: "Pressure", unit: "hPa", decimals: 2, deviceClass: "atmospheric_pressure" },
  illuminance: { ...measurement, title: "Illuminance", unit: "lx", decimals: 1, deviceClass: "illuminance" },
  voltage: { ...measurement, title: "Voltage", unit: "V", decimals: 3, deviceClass: "voltage" },
  current: { ...measurement, title: "Current", unit: "A", decimals: 4, deviceClass: "current" },
  power: { ...measurement, title: "Power", unit: "W", decimals: 3, deviceClass: "power" },
  battery: { ...measurement, title: "Battery", unit: "%", decimals: 1, deviceClass: "battery" },
  charge_rate: { ...measurement, title: "Charge rate", unit: "%/h", decimals: 1, icon: "mdi:battery-charging" },
  energy: {
    kind: "number",
    stateClass: "total_increasing",
    title: "Energy",
    unit: "kWh",
    decimals: 6,
    deviceClass: "energy",
  },
  carbon_dioxide: { ...measurement, title: "Carbon dioxide", unit: "ppm", decimals: 0, deviceClass: "carbon_dioxide" },
  tvoc: {
    ...measurement,
    title: "Volatile organic compounds",
    unit: "ppb",
    decimals: 0,
    deviceClass: "volatile_organic_compounds_parts",
  },
  air_quality: { ...measurement, title: "Air quality index", decimals: 0, deviceClass: "aqi" },
  voc_index: { ...measurement, title: "VOC index", decimals: 0, icon: "mdi:air-filter" },
  nox_index: { ...measurement, title: "NOx index", decimals: 0, icon: "mdi:air-filter" },
  pm1: { ...measurement, title: "PM1", unit: "μg/m³", decimals: 1, deviceClass: "pm1" },
  pm25: { ...measurement, title: "PM2.5", unit: "μg/m³", decimals: 1, deviceClass: "pm25" },
  pm4: { ...measurement, title: "PM4", unit: "μg/m³", decimals: 1, deviceClass: "pm4" },
  pm10: { ...measurement, title: "PM10", unit: "μg/m³", decimals: 1, deviceClass: "pm10" },
  particle_count: { ...measurement, title: "Particles", unit: "1/cm³", decimals: 2, icon: "mdi:blur" },
  particle_size: { ...measurement, title: "Particle size", unit: "μm", decimals: 2, icon: "mdi:blur" },
  ph: { ...measurement, title: "pH", decimals: 2, deviceClass: "ph" },
  light_counts: { ...measurement, title: "Light", decimals: 0, icon: "mdi:brightness-6" },
  uv_index: { ...measurement, title: "UV index", decimals: 1, icon: "mdi:sun-wireless" },
  resistance: { ...measurement, title: "Resistance", unit: "Ω", decimals: 0, icon: "mdi:omega" },
  concentration: { ...measurement, title: "Concentration", decimals: 3, unit: "%" },
  acceleration: { ...measurement, title: "Acceleration", unit: "m/s²", decimals: 3, icon: "mdi:axis-arrow" },
  angular_velocity: {
    ...measurement,
    title: "Angular velocity",
    unit: "°/s",
    decimals: 3,
    icon: "mdi:rotate-3d-variant",
  },
  magnetic_field: { ...measurement, title: "Magnetic field", unit: "μT", decimals: 3, icon: "mdi:magnet" },
  angle: { ...measurement, title: "Angle", unit: "°", decimals: 2, icon: "mdi:angle-acute" },
  distance: { ...measurement, title: "Distance", unit: "mm", decimals: 0, deviceClass: "distance" },
  frequency: { ...measurement, title: "Frequency", unit: "Hz", decimals: 2, deviceClass: "frequency" },
  fan_speed: { ...measurement, title: "Fan speed", unit: "rpm", decimals: 0, icon: "mdi:fan" },
  volume: {
    kind: "number",
    stateClass: "total_increasing",
    title: "Volume",
    unit: "L",
    decimals: 3,
    deviceClass: "water",
  },
  count: { kind: "number", stateClass: "total_increasing", title: "Count", decimals: 0, icon: "mdi:counter" },
  ratio: { ...measurement, title: "Share", unit: "%", decimals: 1, icon: "mdi:percent" },
  number: { ...measurement, title: "Value", decimals: 2 },
  load: { ...measurement, title: "Load", decimals: 2, icon: "mdi:gauge" },
  data_size: { ...measurement, title: "Data size", unit: "MiB", decimals: 1, deviceClass: "data_size" },
  duration: { ...measurement, title: "Duration", unit: "s", decimals: 0, deviceClass: "duration" },
  signal_strength: { ...measurement, title: "Signal", unit: "dBm", decimals: 0, deviceClass: "signal_strength" },
  binary: { kind: "binary", title: "State", decimals: 0 },
  problem: { kind: "binary", title: "Problem", decimals: 0, deviceClass: "problem" },
  text: { kind: "text", title: "Text", decimals: 0 },
  event: { kind: "event", title: "Event", decimals: 0 },
} as const satisfies Record<string, Quantity>;

export type QuantityName = keyof typeof quantities;

export function quantityOf(name: QuantityName): Quantity {
  return quantities[name];
}
