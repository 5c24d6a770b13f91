import type { SimulatedChipFactory } from "./chip.ts";
import { ads1013Chip, ads1014Chip, ads1015Chip, ads1113Chip, ads1114Chip, ads1115Chip } from "./chips/ads1115.ts";
import { adxl345Chip } from "./chips/adxl345.ts";
import { aht10Chip, aht20Chip } from "./chips/aht20.ts";
import { amg8833Chip } from "./chips/amg8833.ts";
import { as5600Chip } from "./chips/as5600.ts";
import { bh1750Chip } from "./chips/bh1750.ts";
import { bme280Chip } from "./chips/bme280.ts";
import { bme680Chip } from "./chips/bme680.ts";
import { bmp180Chip } from "./chips/bmp180.ts";
import { bmp280Chip } from "./chips/bmp280.ts";
import { bmp388Chip } from "./chips/bmp388.ts";
import { ccs811Chip } from "./chips/ccs811.ts";
import { ds3231Chip } from "./chips/ds3231.ts";
import { ens160Chip } from "./chips/ens160.ts";
import { hdc302xChip } from "./chips/hdc302x.ts";
import { hdc1080Chip } from "./chips/hdc1080.ts";
import { hts221Chip } from "./chips/hts221.ts";
import { htu21dChip } from "./chips/htu21d.ts";
import { ina219Chip } from "./chips/ina219.ts";
import { ina226Chip } from "./chips/ina226.ts";
import { ina260Chip } from "./chips/ina260.ts";
import { ina3221Chip } from "./chips/ina3221.ts";
import { lm75Chip, tmp75Chip } from "./chips/lm75.ts";
import { ltr390Chip } from "./chips/ltr390.ts";
import { max17048Chip } from "./chips/max17048.ts";
import { Mcp230xxChip } from "./chips/mcp230xx.ts";
import { mcp3421Chip, mcp3425Chip } from "./chips/mcp3421.ts";
import { mcp9808Chip } from "./chips/mcp9808.ts";
import { mlx90614Chip } from "./chips/mlx90614.ts";
import { mpu6050Chip } from "./chips/mpu6050.ts";
import { opt3001Chip } from "./chips/opt3001.ts";
import { Pcf857xChip } from "./chips/pcf857x.ts";
import { pmsa003iChip } from "./chips/pmsa003i.ts";
import { scd4xChip } from "./chips/scd4x.ts";
import { scd30Chip } from "./chips/scd30.ts";
import { sgp30Chip } from "./chips/sgp30.ts";
import { sgp40Chip, sgp41Chip } from "./chips/sgp40.ts";
import { sht3xChip } from "./chips/sht3x.ts";
import { sht4xChip } from "./chips/sht4x.ts";
import { shtc3Chip } from "./chips/shtc3.ts";
import { sps30Chip } from "./chips/sps30.ts";
import { tmp102Chip } from "./chips/tmp102.ts";
import { tmp117Chip } from "./chips/tmp117.ts";
import { tsl2561Chip } from "./chips/tsl2561.ts";
import { tsl2591Chip } from "./chips/tsl2591.ts";
import { veml7700Chip } from "./chips/veml7700.ts";
import { vl53l0xChip } from "./chips/vl53l0x.ts";
import { vl53l1xChip } from "./chips/vl53l1x.ts";

/** Driver name -> the chip that answers it on a simulated bus. */
export const simulatedChips: Readonly<Record<string, SimulatedChipFactory>> = {
  ads1013: ads1013Chip,
  ads1014: ads1014Chip,
  ads1015: ads1015Chip,
  ads1113: ads1113Chip,
  ads1114: ads1114Chip,
  ads1115: ads1115Chip,
  adxl345: adxl345Chip,
  aht10: aht10Chip,
  aht20: aht20Chip,
  amg8833: amg8833Chip,
  as5600: as5600Chip,
  bh1750: bh1750Chip,
  bme280: bme280Chip,
  bme680: bme680Chip,
  bmp180: bmp180Chip,
  bmp280: bmp280Chip,
  bmp388: bmp388Chip,
  ccs811: ccs811Chip,
  ds3231: ds3231Chip,
  ens160: ens160Chip,
  hdc1080: hdc1080Chip,
  hdc302x: hdc302xChip,
  hts221: hts221Chip,
  htu21d: htu21dChip,
  ina219: ina219Chip,
  ina226: ina226Chip,
  ina260: ina260Chip,
  ina3221: ina3221Chip,
  lm75: lm75Chip,
  ltr390: ltr390Chip,
  max17048: max17048Chip,
  mcp3421: mcp3421Chip,
  mcp3425: mcp3425Chip,
  mcp9808: mcp9808Chip,
  mcp23008: (world) => new Mcp230xxChip(1, (pin) => world.contact(pin)),
  mcp23017: (world) => new Mcp230xxChip(2, (pin) => world.contact(pin)),
  mlx90614: mlx90614Chip,
  mpu6050: mpu6050Chip,
  opt3001: opt3001Chip,
  pcf8574: (world) => new Pcf857xChip(1, (pin) => world.contact(pin)),
  pcf8575: (world) => new Pcf857xChip(2, (pin) => world.contact(pin)),
  pmsa003i: pmsa003iChip,
  scd30: scd30Chip,
  scd4x: scd4xChip,
  sgp30: sgp30Chip,
  sgp40: sgp40Chip,
  sgp41: sgp41Chip,
  sht3x: sht3xChip,
  sht4x: sht4xChip,
  shtc3: shtc3Chip,
  sps30: sps30Chip,
  tmp102: tmp102Chip,
  tmp117: tmp117Chip,
  tmp75: tmp75Chip,
  tsl2561: tsl2561Chip,
  tsl2591: tsl2591Chip,
  veml7700: veml7700Chip,
  vl53l0x: vl53l0xChip,
  vl53l1x: vl53l1xChip,
};
