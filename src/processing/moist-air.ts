/**
 * Temperatures in °C, relative humidity in %, pressures in hPa unless said otherwise. The Magnus form over water is that
 * of WMO-No. 8 (Guide to Instruments and Methods of Observation), annex 4.B, valid from -45 to 60 °C.
 */
const MAGNUS_A = 17.62;
const MAGNUS_B_C = 243.12;
const MAGNUS_E0_HPA = 6.112;
const KELVIN = 273.15;

/** Saturation vapour pressure over water, hPa. */
function saturationHpa(temperatureC: number): number {
  return MAGNUS_E0_HPA * Math.exp((MAGNUS_A * temperatureC) / (MAGNUS_B_C + temperatureC));
}

/** °C; NaN for air without any water. */
export function dewPoint(temperatureC: number, humidityPercent: number): number {
  if (!(humidityPercent > 0)) return Number.NaN;
  const gamma = Math.log(humidityPercent / 100) + (MAGNUS_A * temperatureC) / (MAGNUS_B_C + temperatureC);
  return (MAGNUS_B_C * gamma) / (MAGNUS_A - gamma);
}

/** Grams of water in a cubic metre of air: the ideal gas law with the specific gas constant of water vapour. */
export function absoluteHumidity(temperatureC: number, humidityPercent: number): number {
  const vapourPa = humidityPercent * saturationHpa(temperatureC); // % of hPa is Pa
  return (1000 * vapourPa) / (461.52 * (temperatureC + KELVIN));
}

/** kPa, of the air. */
export function vapourPressureDeficit(temperatureC: number, humidityPercent: number): number {
  return (saturationHpa(temperatureC) / 10) * (1 - humidityPercent / 100);
}

/** hPa: the standard atmosphere's lapse of 6.5 K/km between the station and the sea (ICAO Doc 7488). */
export function seaLevelPressure(pressureHpa: number, temperatureC: number, altitudeM: number): number {
  const lapseK = 0.0065 * altitudeM;
  return pressureHpa * (1 - lapseK / (temperatureC + lapseK + KELVIN)) ** -5.257;
}
