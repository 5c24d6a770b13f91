import type { SimulatedChipFactory } from "./chip.ts";
import { ads1015Chip, ads1115Chip } from "./chips/ads1115.ts";
import { aht10Chip, aht20Chip } from "./chips/aht20.ts";
import { bh1750Chip } from "./chips/bh1750.ts";
import { bme280Chip } from "./chips/bme280.ts";
import { bme680Chip } from "./chips/bme680.ts";
import { bmp180Chip } from "./chips/bmp180.ts";
import { bmp280Chip } from "./chips/bmp280.ts";
import { htu21dChip } from "./chips/htu21d.ts";
import { ina219Chip } from "./chips/ina219.ts";
import { ina226Chip } from "./chips/ina226.ts";
import { lm75Chip } from "./chips/lm75.ts";
import { mcp9808Chip } from "./chips/mcp9808.ts";
import { scd4xChip } from "./chips/scd4x.ts";
import { scd30Chip } from "./chips/scd30.ts";
import { sht3xChip } from "./chips/sht3x.ts";
import { sht4xChip } from "./chips/sht4x.ts";
import { tsl2561Chip } from "./chips/tsl2561.ts";
import { veml7700Chip } from "./chips/veml7700.ts";

/** Driver name -> the chip that answers it on a simulated bus. */
export const simulatedChips: Readonly<Record<string, SimulatedChipFactory>> = {
  ads1015: ads1015Chip,
  ads1115: ads1115Chip,
  aht10: aht10Chip,
  aht20: aht20Chip,
  bh1750: bh1750Chip,
  bme280: bme280Chip,
  bme680: bme680Chip,
  bmp180: bmp180Chip,
  bmp280: bmp280Chip,
  htu21d: htu21dChip,
  ina219: ina219Chip,
  ina226: ina226Chip,
  lm75: lm75Chip,
  mcp9808: mcp9808Chip,
  scd30: scd30Chip,
  scd4x: scd4xChip,
  sht3x: sht3xChip,
  sht4x: sht4xChip,
  tsl2561: tsl2561Chip,
  veml7700: veml7700Chip,
};
