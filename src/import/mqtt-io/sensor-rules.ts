import { present } from "../../config/present.ts";
import type { Entry } from "./entry.ts";

/** How a sensor module of mqtt-io becomes a device of ours. */
export interface SensorRule {
  /** Our driver; undefined where the module's own settings leave it open (and were complained about). */
  driver(module: Entry): string | undefined;
  /** Our options. What is used of the channels is known only later: see `used`. */
  options?(module: Entry): Record<string, unknown>;
  /** `type` of a sensor input -> channels; the first is what mqtt-io takes where none is named. */
  readonly types: Readonly<Record<string, Carried>>;
  /** Options that hang on an input, into those of the device. */
  input?(input: Entry, options: Record<string, unknown>): void;
  /** The channel where the type alone does not tell. */
  channel?(input: Entry): string | undefined;
  /** The last word on the options, once the channels that are used are known; true where it chose them itself. */
  used?(channels: ReadonlySet<string>, options: Record<string, unknown>): boolean;
}

/** The channels of ours that a type is, and what differs in them. None: it is left out, for the reason in `note`. */
interface Carried {
  readonly channels: readonly string[];
  readonly note?: string;
}

const one = (channel: string, note?: string): Carried => ({ channels: [channel], ...(note && { note }) });
const none = (note: string): Carried => ({ channels: [], note });
const same = (...channels: string[]): Record<string, Carried> =>
  Object.fromEntries(channels.map((channel) => [channel, one(channel)]));

const onI2c = (module: Entry): Record<string, unknown> => {
  const bus = module.number("i2c_bus_num");
  return present({
    bus: bus === undefined || bus === 1 ? undefined : `i2c-${bus}`,
    address: module.number("chip_addr"),
  });
};
const chip = (driver: string, types: SensorRule["types"], more: Partial<SensorRule> = {}): SensorRule => ({
  driver: () => driver,
  options: onI2c,
  types,
  ...more,
});

/** Families on 1-Wire (`10-…`), as the kernel names its devices. */
const FAMILIES: Readonly<Record<string, string>> = {
  DS18S20: "10",
  DS1822: "22",
  DS18B20: "28",
  DS1825: "3b",
  MAX31850K: "3b",
  DS28EA00: "42",
};

const dht22: SensorRule = {
  driver: (module) => (module.text("type")?.toLowerCase() === "dht11" ? "dht11" : "dht22"),
  options(module) {
    const pin = module.number("pin");
    if (pin === undefined) return {};
    module.note(`the kernel reads it: \`dtoverlay=dht11,gpiopin=${pin}\` in /boot/firmware/config.txt`, "pin");
    return { device: `dht11@${pin.toString(16)}` };
  },
  types: same("temperature", "humidity"),
};

const ds18b: SensorRule = {
  driver: () => "ds18b20",
  options(module) {
    const family = FAMILIES[module.text("type")?.toUpperCase() ?? ""];
    const written = module.text("address")?.toLowerCase() ?? "";
    const [, prefix = family, id] = /^(?:(10|22|28|3b|42)-)?([0-9a-f]{12})$/.exec(written) ?? [];
    if (id !== undefined && prefix !== undefined) return { sensor: `${prefix}-${id}` };
    module.note("no 1-Wire id of a known type; it may be left out where the sensor is the only one", "address");
    return {};
  },
  types: same("temperature"),
};

const RANGES: Readonly<Record<string, number>> = { "1": 4.096, "2": 2.048, "4": 1.024, "8": 0.512, "16": 0.256 };

const ads1x15: SensorRule = {
  driver(module) {
    const type = module.text("type")?.toLowerCase();
    return type === "ads1015" || type === "ads1115" ? type : undefined;
  },
  options(module) {
    module.list("pins");
    const gain = module.number("gain") ?? 1;
    const range = gain < 1 ? 6.144 : RANGES[String(gain)];
    return { ...onI2c(module), ...(range !== undefined && range !== 4.096 && { range }) };
  },
  types: {
    value: none("in volts, in place of the converter's counts"),
    voltage: none(""),
  },
  channel(input) {
    const pin = input.number("pin") ?? 0;
    return [0, 1, 2, 3].includes(pin) ? `a${pin}` : undefined;
  },
  used(channels, options) {
    options.inputs = [...channels].sort();
    return true;
  },
};

const bme680 = chip(
  "bme680",
  {
    ...same("temperature", "humidity", "pressure"),
    gas: one("gas_resistance", "each reading's own, in place of a mean over two minutes"),
    air_quality: none("left out: gas resistance is measured, and no index is made of it"),
  },
  {
    options(module) {
      const filter = module.number("filter_size");
      return { ...onI2c(module), ...(filter !== undefined && { filter: filter === 0 ? "off" : filter }) };
    },
    input(input, options) {
      const written = input.text("oversampling");
      if (written === undefined) return;
      const samples = Number.parseInt(written, 10);
      if (!Number.isInteger(samples))
        return input.note("a quantity cannot be left out of the measurement", "oversampling");
      const before = options.oversampling;
      if (before !== undefined && before !== samples) input.note("one for all quantities: the highest", "oversampling");
      options.oversampling = Math.max(samples, typeof before === "number" ? before : 0);
    },
    used(channels, options) {
      if (!channels.has("gas_resistance")) options.gas = "off";
      return false;
    },
  },
);

const ina219 = chip(
  "ina219",
  {
    power: one("power"),
    current: one("current"),
    bus_voltage: one("voltage"),
    shunt_voltage: one("shunt_voltage", "in volts, in place of millivolts"),
  },
  {
    options(module) {
      const gain = /^\d_(40|80|160|320)MV$/i.exec(module.text("gain") ?? "")?.[1];
      module.without({
        max_amps: "not needed: current is computed from the shunt's voltage",
        voltage_range: "always the 32 V range",
        low_power: "not carried over: the chip measures on",
      });
      const range = gain === undefined ? undefined : Number(gain);
      return present({ ...onI2c(module), shunt: module.number("shunt_ohms"), shunt_range: range });
    },
  },
);

const ens160 = chip("ens160", same("aqi", "tvoc", "eco2"), {
  options: (module) =>
    present({
      ...onI2c(module),
      address: module.number("chip_addr") ?? 0x53,
      temperature: module.number("temperature_compensation"),
      humidity: module.number("humidity_compensation"),
    }),
});

const light = (module: Entry) =>
  present({
    ...onI2c(module),
    integration_time: module.number("integration_time"),
    gain: module.number("gain"),
  });

const axes = ["acceleration_x", "acceleration_y", "acceleration_z"];
const rotations = ["rotation_x", "rotation_y", "rotation_z"];

const adxl345 = chip(
  "adxl345",
  { all: { channels: axes }, x: one("acceleration_x"), y: one("acceleration_y"), z: one("acceleration_z") },
  {
    options(module) {
      if (module.boolean("output_g") === true) module.note("in m/s², in place of g", "output_g");
      return onI2c(module);
    },
  },
);

const NO_ANGLES = "without the angles, which are not computed";
const mpu6050 = chip("mpu6050", {
  default: { channels: rotations, note: `rotation in °/s, in place of counts; ${NO_ANGLES}` },
  gyro: { channels: rotations, note: "in °/s, in place of counts" },
  accel: { channels: axes, note: "in m/s², in place of counts" },
  temp: one("temperature"),
  all: { channels: [...axes, ...rotations, "temperature"], note: `in °/s and m/s², in place of counts; ${NO_ANGLES}` },
  angle: none("left out: angles are not computed"),
});

const NO_COUNTS = "left out: only illuminance is given";

/** mqtt-io's sensor modules that we have a driver for, by their names there. */
export const sensorRules: Readonly<Record<string, SensorRule>> = {
  ads1x15,
  adxl345,
  aht20: chip("aht20", same("temperature", "humidity")),
  bh1750: chip("bh1750", same("illuminance")),
  bme280: chip("bme280", same("temperature", "humidity", "pressure")),
  bme680,
  bmp085: chip("bmp180", {
    temperature: one("temperature"),
    pressure: one("pressure", "in hPa, in place of Pa"),
    altitude: none("left out: an altitude is not computed"),
  }),
  dht22,
  ds18b,
  ens160,
  ina219,
  lm75: chip("lm75", same("temperature")),
  mpu6050,
  sht4x: chip("sht4x", same("temperature", "humidity")),
  tsl2561: chip(
    "tsl2561",
    { lux: one("illuminance"), broadband: none(NO_COUNTS), infrared: none(NO_COUNTS) },
    { options: light },
  ),
  veml7700: chip(
    "veml7700",
    { lux_corrected: one("illuminance"), lux: one("illuminance"), light: none(NO_COUNTS) },
    { options: light },
  ),
};

/** Why others are left out, where more can be said than that there is no driver. */
export const leftOut: Readonly<Record<string, string>> = {
  mcp3008: "it is on SPI: the kernel reads it (`dtoverlay=mcp3008`), and the driver `iio` what the kernel shows",
  mcp3xxx: "it is on SPI: the kernel reads it (`dtoverlay=mcp3008`), and the driver `iio` what the kernel shows",
  pms5003: "it is on a serial port, which is not read; a PMSA003I is the same sensor on I2C",
  mhz19: "it is on a serial port, which is not read; SCD4x and SCD30 measure CO2 on I2C",
  hcsr04: "its echo is too short to be timed here; VL53L0X and VL53L1X measure distance on I2C",
};
