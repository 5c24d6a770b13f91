import { ads1013, ads1014, ads1015, ads1113, ads1114, ads1115 } from "./ads1115.ts";
import { adxl345 } from "./adxl345.ts";
import { aht10, aht20 } from "./aht20.ts";
import { amg8833 } from "./amg8833.ts";
import { as5600 } from "./as5600.ts";
import { bh1750 } from "./bh1750.ts";
import { bme280 } from "./bme280.ts";
import { bme680 } from "./bme680.ts";
import { bmp180 } from "./bmp180.ts";
import { bmp280 } from "./bmp280.ts";
import { bmp388 } from "./bmp388.ts";
import { button } from "./button.ts";
import { ccs811 } from "./ccs811.ts";
import { dht22 } from "./dht22.ts";
import { digitalInput } from "./digital-input.ts";
import { digitalOutput } from "./digital-output.ts";
import type { Driver } from "./driver.ts";
import { ds18b20 } from "./ds18b20.ts";
import { ds3231 } from "./ds3231.ts";
import { ens160 } from "./ens160.ts";
import { mcp23008, mcp23017, pcf8574, pcf8575 } from "./expanders.ts";
import { hdc302x } from "./hdc302x.ts";
import { hdc1080 } from "./hdc1080.ts";
import { host } from "./host.ts";
import { hts221 } from "./hts221.ts";
import { htu21d } from "./htu21d.ts";
import { hwmon } from "./hwmon.ts";
import { iio } from "./iio.ts";
import { ina219 } from "./ina219.ts";
import { ina226 } from "./ina226.ts";
import { ina260 } from "./ina260.ts";
import { ina3221 } from "./ina3221.ts";
import { lm75, tmp75 } from "./lm75.ts";
import { ltr390 } from "./ltr390.ts";
import { max17048 } from "./max17048.ts";
import { mcp3421, mcp3425 } from "./mcp3421.ts";
import { mcp9808 } from "./mcp9808.ts";
import { mlx90614 } from "./mlx90614.ts";
import { mpu6050 } from "./mpu6050.ts";
import { opt3001 } from "./opt3001.ts";
import { pmsa003i } from "./pmsa003i.ts";
import { pulseCounter } from "./pulse-counter.ts";
import { pwmOutput } from "./pwm-output.ts";
import { rotaryEncoder } from "./rotary-encoder.ts";
import { scd4x } from "./scd4x.ts";
import { scd30 } from "./scd30.ts";
import { sgp30 } from "./sgp30.ts";
import { sgp40, sgp41 } from "./sgp40.ts";
import { sht3x } from "./sht3x.ts";
import { sht4x } from "./sht4x.ts";
import { shtc3 } from "./shtc3.ts";
import { sps30 } from "./sps30.ts";
import { tmp102 } from "./tmp102.ts";
import { tmp117 } from "./tmp117.ts";
import { tsl2561 } from "./tsl2561.ts";
import { tsl2591 } from "./tsl2591.ts";
import { veml7700 } from "./veml7700.ts";
import { vl53l0x } from "./vl53l0x.ts";
import { vl53l1x } from "./vl53l1x.ts";

/** Every driver there is, by name: the one list from which everything that depends on drivers derives. */
export const drivers: readonly Driver[] = [
  ads1013,
  ads1014,
  ads1015,
  ads1113,
  ads1114,
  ads1115,
  adxl345,
  aht10,
  aht20,
  amg8833,
  as5600,
  bh1750,
  bme280,
  bme680,
  bmp180,
  bmp280,
  bmp388,
  button,
  ccs811,
  dht22,
  digitalInput,
  digitalOutput,
  ds18b20,
  ds3231,
  ens160,
  hdc1080,
  hdc302x,
  host,
  hts221,
  htu21d,
  hwmon,
  iio,
  ina219,
  ina226,
  ina260,
  ina3221,
  lm75,
  ltr390,
  max17048,
  mcp23008,
  mcp23017,
  mcp3421,
  mcp3425,
  mcp9808,
  mlx90614,
  mpu6050,
  opt3001,
  pcf8574,
  pcf8575,
  pmsa003i,
  pulseCounter,
  pwmOutput,
  rotaryEncoder,
  scd30,
  scd4x,
  sgp30,
  sgp40,
  sgp41,
  sht3x,
  sht4x,
  shtc3,
  sps30,
  tmp102,
  tmp117,
  tmp75,
  tsl2561,
  tsl2591,
  veml7700,
  vl53l0x,
  vl53l1x,
];

const byName = new Map(drivers.flatMap((driver) => namesOf(driver).map((name) => [name, driver])));

/** The driver called so, or that has it as an alias. */
export function findDriver(name: string): Driver | undefined {
  return byName.get(name);
}

/** The name and the aliases. */
export function namesOf(driver: Driver): string[] {
  return [driver.name, ...(driver.aliases ?? [])];
}
