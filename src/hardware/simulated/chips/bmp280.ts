import type { SimulatedChip, World } from "../chip.ts";
import { bisect, bosch280Chip, littleEndian } from "./bosch-280.ts";
import { type IntegerTrimming, integerFine, integerPressure, integerTemperature } from "./bosch-280-integer.ts";

/** The worked example of BST-BMP280-DS001 §3.12. */
const TRIMMING: IntegerTrimming = {
  T: [27504, 26435, -1000],
  P: [36477, -10685, 3024, 2855, 140, -7, 15500, -14600, 6000],
};

export function bmp280Chip(world: World): SimulatedChip {
  return bosch280Chip(world, {
    id: 0x58,
    trimming: new Map([[0x88, littleEndian([...TRIMMING.T, ...TRIMMING.P])]]),
    ...codes280(TRIMMING),
  });
}

/** The codes that the formulas turn into the given temperature and pressure. */
export function codes280(trimming: IntegerTrimming) {
  const temperatureCode = (temperatureC: number) =>
    bisect(20, true, temperatureC * 100, (code) => integerTemperature(code, trimming));
  const fineAt = (temperatureC: number) => integerFine(temperatureCode(temperatureC), trimming);
  const pressureCode = (pressureHpa: number, temperatureC: number) => {
    const fine = fineAt(temperatureC);
    return bisect(20, false, pressureHpa * 25600, (code) => integerPressure(code, fine, trimming));
  };
  return { temperatureCode, fineAt, pressureCode };
}
