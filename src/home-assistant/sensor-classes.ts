/**
 * Home Assistant's numeric sensor classes with the units and state classes that each of them takes; anything else makes
 * it refuse the entity. Taken from a running core (2026.2); units are compared exactly, μ is U+03BC.
 */
export interface SensorClass {
  /** Absent where the class is without a unit. */
  readonly units: readonly (string | undefined)[];
  readonly stateClasses: readonly string[];
}

const measurement = ["measurement"];
const totals = ["total", "total_increasing"];
const any = ["measurement", "measurement_angle", "total", "total_increasing"];

export const sensorClasses: Readonly<Record<string, SensorClass>> = {
  absolute_humidity: { units: ["g/m³", "mg/m³"], stateClasses: measurement },
  apparent_power: { units: ["VA", "kVA", "mVA"], stateClasses: measurement },
  aqi: { units: [undefined], stateClasses: measurement },
  area: { units: ["ac", "cm²", "ft²", "ha", "in²", "km²", "mi²", "mm²", "m²", "yd²"], stateClasses: any },
  atmospheric_pressure: {
    units: ["Pa", "bar", "cbar", "hPa", "inHg", "inH₂O", "kPa", "mPa", "mbar", "mmHg", "psi"],
    stateClasses: measurement,
  },
  battery: { units: ["%"], stateClasses: measurement },
  blood_glucose_concentration: { units: ["mg/dL", "mmol/L"], stateClasses: measurement },
  carbon_dioxide: { units: ["ppm"], stateClasses: measurement },
  carbon_monoxide: { units: ["mg/m³", "ppm", "μg/m³"], stateClasses: measurement },
  conductivity: { units: ["S/cm", "mS/cm", "μS/cm"], stateClasses: measurement },
  current: { units: ["A", "mA"], stateClasses: measurement },
  data_rate: {
    units: ["B/s", "GB/s", "Gbit/s", "GiB/s", "KiB/s", "MB/s", "Mbit/s", "MiB/s", "bit/s", "kB/s", "kbit/s"],
    stateClasses: measurement,
  },
  data_size: {
    units: [
      "B",
      "EB",
      "EiB",
      "GB",
      "Gbit",
      "GiB",
      "KiB",
      "MB",
      "Mbit",
      "MiB",
      "PB",
      "PiB",
      "TB",
      "TiB",
      "YB",
      "YiB",
      "ZB",
      "ZiB",
      "bit",
      "kB",
      "kbit",
    ],
    stateClasses: any,
  },
  distance: { units: ["cm", "ft", "in", "km", "m", "mi", "mm", "nmi", "yd"], stateClasses: any },
  duration: { units: ["d", "h", "min", "ms", "s", "μs"], stateClasses: any },
  energy: {
    units: ["GJ", "GWh", "Gcal", "J", "MJ", "MWh", "Mcal", "TWh", "Wh", "cal", "kJ", "kWh", "kcal", "mWh"],
    stateClasses: totals,
  },
  energy_distance: { units: ["Wh/km", "kWh/100km", "km/kWh", "mi/kWh"], stateClasses: measurement },
  energy_storage: {
    units: ["GJ", "GWh", "Gcal", "J", "MJ", "MWh", "Mcal", "TWh", "Wh", "cal", "kJ", "kWh", "kcal", "mWh"],
    stateClasses: measurement,
  },
  frequency: { units: ["GHz", "Hz", "MHz", "kHz"], stateClasses: measurement },
  gas: { units: ["CCF", "L", "MCF", "ft³", "m³"], stateClasses: totals },
  humidity: { units: ["%"], stateClasses: measurement },
  illuminance: { units: ["lx"], stateClasses: measurement },
  irradiance: { units: ["BTU/(h⋅ft²)", "W/m²"], stateClasses: measurement },
  moisture: { units: ["%"], stateClasses: measurement },
  nitrogen_dioxide: { units: ["μg/m³"], stateClasses: measurement },
  nitrogen_monoxide: { units: ["μg/m³"], stateClasses: measurement },
  nitrous_oxide: { units: ["μg/m³"], stateClasses: measurement },
  ozone: { units: ["μg/m³"], stateClasses: measurement },
  ph: { units: [undefined], stateClasses: measurement },
  pm1: { units: ["μg/m³"], stateClasses: measurement },
  pm10: { units: ["μg/m³"], stateClasses: measurement },
  pm25: { units: ["μg/m³"], stateClasses: measurement },
  pm4: { units: ["μg/m³"], stateClasses: measurement },
  power: { units: ["GW", "MW", "TW", "W", "kW", "mW"], stateClasses: measurement },
  power_factor: { units: ["%", undefined], stateClasses: measurement },
  precipitation: { units: ["cm", "in", "mm"], stateClasses: any },
  precipitation_intensity: { units: ["in/d", "in/h", "mm/d", "mm/h"], stateClasses: measurement },
  pressure: {
    units: ["Pa", "bar", "cbar", "hPa", "inHg", "inH₂O", "kPa", "mPa", "mbar", "mmHg", "psi"],
    stateClasses: measurement,
  },
  reactive_energy: { units: ["kvarh", "varh"], stateClasses: totals },
  reactive_power: { units: ["kvar", "mvar", "var"], stateClasses: measurement },
  signal_strength: { units: ["dB", "dBm"], stateClasses: measurement },
  sound_pressure: { units: ["dB", "dBA"], stateClasses: measurement },
  speed: {
    units: ["Beaufort", "ft/s", "in/d", "in/h", "in/s", "km/h", "kn", "m/min", "m/s", "mm/d", "mm/h", "mm/s", "mph"],
    stateClasses: measurement,
  },
  sulphur_dioxide: { units: ["μg/m³"], stateClasses: measurement },
  temperature: { units: ["K", "°C", "°F"], stateClasses: measurement },
  temperature_delta: { units: ["K", "°C", "°F"], stateClasses: measurement },
  volatile_organic_compounds: { units: ["mg/m³", "μg/m³"], stateClasses: measurement },
  volatile_organic_compounds_parts: { units: ["ppb", "ppm"], stateClasses: measurement },
  voltage: { units: ["MV", "V", "kV", "mV", "μV"], stateClasses: measurement },
  volume: { units: ["CCF", "L", "MCF", "fl. oz.", "ft³", "gal", "mL", "m³"], stateClasses: totals },
  volume_flow_rate: {
    units: ["L/h", "L/min", "L/s", "ft³/min", "gal/d", "gal/h", "gal/min", "mL/s", "m³/h", "m³/min", "m³/s"],
    stateClasses: measurement,
  },
  volume_storage: { units: ["CCF", "L", "MCF", "fl. oz.", "ft³", "gal", "mL", "m³"], stateClasses: measurement },
  water: { units: ["CCF", "L", "MCF", "ft³", "gal", "m³"], stateClasses: totals },
  weight: {
    units: ["g", "kg", "lb", "mg", "oz", "st", "μg"],
    stateClasses: ["measurement", "total", "total_increasing"],
  },
  wind_direction: { units: ["°"], stateClasses: ["measurement_angle"] },
  wind_speed: {
    units: ["Beaufort", "ft/s", "in/s", "km/h", "kn", "m/min", "m/s", "mm/s", "mph"],
    stateClasses: measurement,
  },
};
