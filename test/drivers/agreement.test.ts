import { describe, expect, test } from "vitest";
import { findDriver } from "../../src/drivers/registry.ts";
import type { World } from "../../src/hardware/simulated/chip.ts";
import { simulatedWorld } from "../../src/hardware/simulated/world.ts";
import { bench } from "./bench.ts";

const never = new AbortController().signal;

type Truth = readonly [value: (world: World) => number, within: number];

const temperature = (within: number): Truth => [(world) => world.temperatureC(), within];
const humidity = (within: number): Truth => [(world) => world.humidityPercent(), within];
const pressure = (within: number): Truth => [(world) => world.pressureHpa(), within];
const illuminance = (within: number): Truth => [(world) => world.illuminanceLx(), within];
const co2 = (within: number): Truth => [(world) => world.co2Ppm(), within];

/** What each chip must read of the simulated world, to half a step of its own resolution and what the world moves meanwhile. */
const cases: Readonly<Record<string, Readonly<Record<string, Truth>>>> = {
  adxl345: { acceleration_x: [() => 0.05 * 9.80665, 0.03], acceleration_z: [() => 9.80665, 0.03] },
  aht10: { temperature: temperature(0.01), humidity: humidity(0.01) },
  aht20: { temperature: temperature(0.01), humidity: humidity(0.01) },
  amg8833: {
    maximum: [(world) => world.temperatureC() + 9, 0.2],
    minimum: temperature(0.2),
    temperature: [(world) => world.temperatureC() + 2, 0.05],
  },
  as5600: {
    raw_angle: [(world) => world.angleDegrees(), 0.1],
    angle: [(world) => (world.angleDegrees() + 270) % 360, 0.1],
  },
  bh1750: { illuminance: illuminance(1) },
  bme280: { temperature: temperature(0.01), humidity: humidity(0.05), pressure: pressure(0.05) },
  bme680: { temperature: temperature(0.01), humidity: humidity(0.05), pressure: pressure(0.1) },
  bmp180: { temperature: temperature(0.1), pressure: pressure(0.1) },
  bmp280: { temperature: temperature(0.01), pressure: pressure(0.05) },
  bmp388: { temperature: temperature(0.02), pressure: pressure(0.05) },
  ds3231: { temperature: temperature(0.2) },
  hdc1080: { temperature: temperature(0.02), humidity: humidity(0.02) },
  hdc302x: { temperature: temperature(0.01), humidity: humidity(0.01) },
  ina260: {
    voltage: [(world) => world.voltageV(), 0.002],
    current: [(world) => world.currentA(), 0.002],
    power: [(world) => world.voltageV() * world.currentA(), 0.02],
  },
  ina3221: {
    voltage_1: [(world) => world.voltageV(), 0.005],
    current_1: [(world) => world.currentA(), 0.0005],
    current_2: [(world) => world.currentA() / -2, 0.0005],
    power_3: [(world) => (world.voltageV() * world.currentA()) / 4, 0.01],
  },
  ltr390: { illuminance: illuminance(1), uv_index: [(world) => world.uvIndex(), 0.01] },
  opt3001: { illuminance: illuminance(0.2) },
  mcp3421: { voltage_1: [(world) => world.voltageV() / 10, 0.0002] },
  mcp3425: { voltage_1: [(world) => world.voltageV() / 10, 0.0002] },
  shtc3: { temperature: temperature(0.01), humidity: humidity(0.01) },
  sps30: { pm25: [(world) => world.pm25(), 0.1] },
  tmp102: { temperature: temperature(0.04) },
  tmp117: { temperature: temperature(0.01) },
  tsl2591: { illuminance: illuminance(1) },
  hts221: { temperature: temperature(0.05), humidity: humidity(0.01) },
  htu21d: { temperature: temperature(0.02), humidity: humidity(0.05) },
  lm75: { temperature: temperature(0.07) },
  tmp75: { temperature: temperature(0.04) },
  max17048: {
    voltage: [(world) => world.voltageV() / 3.1, 0.0002],
    charge_rate: [(world) => world.currentA() * -10, 0.11],
  },
  mcp9808: { temperature: temperature(0.04) },
  ina219: {
    voltage: [(world) => world.voltageV(), 0.005],
    current: [(world) => world.currentA(), 0.0005],
    power: [(world) => world.voltageV() * world.currentA(), 0.01],
  },
  ina226: {
    voltage: [(world) => world.voltageV(), 0.002],
    current: [(world) => world.currentA() / 4, 0.0002],
  },
  mlx90614: {
    object_temperature: [(world) => world.temperatureC() + 11, 0.02],
    ambient_temperature: temperature(0.02),
  },
  mpu6050: {
    acceleration_x: [() => 0.05 * 9.80665, 0.01],
    acceleration_z: [() => 9.80665, 0.01],
    rotation_x: [() => 1.5, 0.05],
    temperature: [(world) => world.temperatureC() + 4, 0.01],
  },
  pmsa003i: { pm25: [(world) => world.pm25(), 0.6] },
  scd30: { co2: co2(0.5), temperature: temperature(0.02), humidity: humidity(0.2) },
  scd4x: { co2: co2(1), temperature: temperature(0.02), humidity: humidity(0.2) },
  sht3x: { temperature: temperature(0.01), humidity: humidity(0.01) },
  sht4x: { temperature: temperature(0.01), humidity: humidity(0.01) },
  tsl2561: { illuminance: illuminance(2) },
  vl53l0x: { distance: [(world) => world.distanceMm(), 8] },
  vl53l1x: { distance: [(world) => world.distanceMm(), 8] },
  veml7700: { illuminance: illuminance(4) },
};

describe.each(Object.keys(cases))("%s", (name) => {
  test("reads what the simulated world holds, which its fake encodes in its own way", async () => {
    const driver = findDriver(name);
    if (!driver) throw new Error(`no driver ${name}`);
    const { clock, open, letPass } = bench(driver);
    const sensor = await letPass(open());
    await letPass(sensor.read(never));
    const { values } = await letPass(sensor.read(never));
    const world = simulatedWorld(clock);
    for (const [key, [truth, within]] of Object.entries(cases[name] ?? {})) {
      expect(Math.abs(Number(values[key]) - truth(world)), `${key}: ${values[key]}, ${truth(world)}`).toBeLessThan(
        within,
      );
    }
  });
});
