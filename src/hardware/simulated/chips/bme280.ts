import type { SimulatedChip, World } from "../chip.ts";
import { codes280 } from "./bmp280.ts";
import { bisect, bosch280Chip, littleEndian } from "./bosch-280.ts";
import { type IntegerHumidityTrimming, type IntegerTrimming, integerHumidity } from "./bosch-280-integer.ts";

/** Those of a chip out of the wild, as published with Pimoroni's bme280-python. */
const TRIMMING: IntegerTrimming = {
  T: [28009, 25654, 50],
  P: [39145, -10750, 3024, 5667, -120, -7, 15500, -14600, 6000],
};
const HUMIDITY_TRIMMING: IntegerHumidityTrimming = [75, 376, 0, 286, 50, 30];

export function bme280Chip(world: World): SimulatedChip {
  const { fineAt, ...codes } = codes280(TRIMMING);
  return bosch280Chip(world, {
    id: 0x60,
    trimming: new Map([
      [0x88, littleEndian([...TRIMMING.T, ...TRIMMING.P])],
      [0xa1, [HUMIDITY_TRIMMING[0]]],
      [0xe1, humidityBytes(HUMIDITY_TRIMMING)],
    ]),
    ...codes,
    humidityCode(humidityPercent, temperatureC) {
      const fine = fineAt(temperatureC);
      return bisect(16, true, humidityPercent * 1024, (code) => integerHumidity(code, fine, HUMIDITY_TRIMMING));
    },
  });
}

/** 0xE1 to 0xE7: H4 and H5 share the byte at 0xE5 (BST-BME280-DS002 §4.2.2, table 16). */
function humidityBytes([, H2, H3, H4, H5, H6]: IntegerHumidityTrimming): number[] {
  const shared = ((H5 & 0xf) << 4) | (H4 & 0xf);
  return [...littleEndian([H2]), H3, (H4 >> 4) & 0xff, shared, (H5 >> 4) & 0xff, H6 & 0xff];
}
