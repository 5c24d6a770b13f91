import { describe, expect, test } from "vitest";
import { GatewayError } from "../../src/core/errors.ts";
import type { FilesDriver } from "../../src/drivers/driver.ts";
import { hwmon } from "../../src/drivers/hwmon.ts";
import { iio } from "../../src/drivers/iio.ts";
import { iioAttributes } from "../../src/drivers/iio-attributes.ts";
import { SimulatedFiles, type Tree } from "../../src/hardware/simulated/files.ts";
import { noMemory } from "../../src/wiring/driver-memory.ts";
import { FakeClock } from "../fakes/clock.ts";

const never = new AbortController().signal;
const context = { clock: new FakeClock(), memory: noMemory };
const open = (driver: FilesDriver, files: SimulatedFiles, device?: string) => driver.open(files, { device }, context);

async function readAll(driver: FilesDriver, tree: Tree) {
  return (await (await open(driver, new SimulatedFiles(tree))).read(never)).values;
}

/** A hwmon device of the given name at a node, with one temperature. */
function chip(entry: string, node: string, name: string, milliC = "20000"): Tree {
  const device = `/sys/devices/platform/soc/i2c-1/${node}/hwmon/${entry}`;
  return {
    [`/sys/class/hwmon/${entry}`]: { link: device },
    [`${device}/name`]: `${name}\n`,
    [`${device}/temp1_input`]: `${milliC}\n`,
  };
}

function iioDevice(files: Record<string, Tree[string]>): Tree {
  const device = "/sys/devices/platform/dht11@4/iio:device0";
  return {
    "/sys/bus/iio/devices/iio:device0": { link: device },
    [`${device}/name`]: "dht11@4\n",
    ...Object.fromEntries(Object.entries(files).map(([name, content]) => [`${device}/${name}`, content])),
  };
}

describe("which device", () => {
  const two = { ...chip("hwmon0", "1-0048", "lm75", "20000"), ...chip("hwmon1", "1-0049", "lm75", "30000") };

  test("is found by its node, whatever number the kernel gave it", async () => {
    const moved = { ...chip("hwmon3", "1-0048", "lm75", "20000"), ...chip("hwmon0", "1-0049", "lm75", "30000") };
    for (const tree of [two, moved]) {
      const sensor = await open(hwmon, new SimulatedFiles(tree), "1-0049");
      expect((await sensor.read(never)).values).toEqual({ temperature: 30 });
    }
  });

  test("is found by its path", async () => {
    const sensor = await open(hwmon, new SimulatedFiles(two), "/sys/devices/platform/soc/i2c-1/1-0048");
    expect((await sensor.read(never)).values).toEqual({ temperature: 20 });
  });

  test("is CONFIG_INVALID where a name fits two, and the message names both", async () => {
    await expect(open(hwmon, new SimulatedFiles(two), "lm75")).rejects.toMatchObject({
      code: "CONFIG_INVALID",
      message: "lm75 is more than one device: 1-0048 (lm75), 1-0049 (lm75)",
    });
  });

  test("is CONFIG_INVALID where several are there and none is named", async () => {
    await expect(open(hwmon, new SimulatedFiles(two))).rejects.toMatchObject({
      code: "CONFIG_INVALID",
      message: "say which device: 1-0048 (lm75), 1-0049 (lm75)",
    });
  });

  test("is CHIP_ABSENT where the named one is not there, and the message says what is", async () => {
    await expect(open(hwmon, new SimulatedFiles(two), "tmp102")).rejects.toMatchObject({
      code: "CHIP_ABSENT",
      message: "no device tmp102: there are 1-0048 (lm75), 1-0049 (lm75)",
    });
  });

  test("is what scan suggests", async () => {
    const found = (await hwmon.find?.(new SimulatedFiles(two))) ?? [];
    expect(found.map(({ options }) => options)).toEqual([{ device: "1-0048" }, { device: "1-0049" }]);
  });
});

describe("iio", () => {
  test("takes what the kernel computed, in our units", async () => {
    const tree = iioDevice({
      in_temp_input: "23400",
      in_humidityrelative_input: "48200",
      in_pressure_input: "101.325",
      in_illuminance_input: "312.5",
      in_concentration_co2_input: "0.0612",
    });
    expect(await readAll(iio, tree)).toEqual({
      temperature: expect.closeTo(23.4),
      humidity: expect.closeTo(48.2),
      pressure: expect.closeTo(1013.25),
      illuminance: 312.5,
      carbon_dioxide: expect.closeTo(612),
    });
  });

  test("computes (raw + offset) * scale, with a scale that channels share", async () => {
    const tree = iioDevice({
      in_voltage0_raw: "1000",
      in_voltage1_raw: "2000",
      "in_voltage0-voltage1_raw": "-1000",
      in_voltage_scale: "2",
      "in_voltage-voltage_scale": "3",
      in_voltage1_offset: "-500",
      in_accel_x_raw: "100",
      in_accel_scale: "0.0981",
    });
    expect(await readAll(iio, tree)).toEqual({
      voltage_0: expect.closeTo(2),
      voltage_1: expect.closeTo(3),
      voltage_0_1: expect.closeTo(-3),
      acceleration_x: expect.closeTo(9.81),
    });
  });

  test("computes as the kernel's mlx90614 and ads1015 say it: kelvins with an offset, and a pair with a scale of its own", async () => {
    const tree = iioDevice({
      in_temp_object_raw: "15095",
      in_temp_object_offset: "-13657.500000",
      in_temp_ambient_raw: "14000",
      in_temp_ambient_offset: "-13657.500000",
      in_temp_scale: "20",
      "in_voltage0-voltage1_raw": "-1347",
      "in_voltage0-voltage1_scale": "0.125000000",
      in_voltage0_raw: "8",
      in_voltage0_scale: "3.000000000",
      in_concentration_voc_input: "0.0000125",
      in_magn_x_raw: "-1",
      in_magn_scale: "0.000244",
    });
    expect(await readAll(iio, tree)).toEqual({
      temperature_object: expect.closeTo(28.75, 9),
      temperature_ambient: expect.closeTo(6.85, 9),
      voltage_0_1: expect.closeTo(-0.168375, 9),
      voltage_0: expect.closeTo(0.024, 9),
      tvoc: expect.closeTo(125, 9),
      magnetic_field_x: expect.closeTo(-0.0244, 9),
    });
  });

  test("peaks have the scale of peaks (in_accel_peak_scale), and what is squared has no unit", async () => {
    const tree = iioDevice({
      in_accel_x_raw: "100",
      in_accel_x_peak_raw: "100",
      in_accel_xyz_squared_peak_raw: "100",
      in_accel_scale: "0.1",
      in_accel_peak_scale: "0.2",
      in_temp_peak_raw: "100",
      in_temp_scale: "20",
      in_temp_offset: "50",
      in_capacitance0_raw: "8",
      in_capacitance0_scale: "0.5",
      in_electricalconductivity_raw: "2500",
      in_electricalconductivity_scale: "0.00001",
    });
    const sensor = await open(iio, new SimulatedFiles(tree));
    expect((await sensor.read(never)).values).toEqual({
      acceleration_x: expect.closeTo(10),
      acceleration_x_peak: expect.closeTo(20),
      acceleration_xyz_squared_peak: expect.anything(),
      temperature_peak: expect.closeTo(3),
      capacitance_0: expect.closeTo(4),
      conductivity: expect.closeTo(0.025),
    });
    expect(sensor.channels?.acceleration_xyz_squared_peak?.quantity).toBe("number");
    expect(sensor.channels?.conductivity).toMatchObject({ unit: "S/m" });
  });

  const i2cDevice = (name: string, files: Record<string, string>, client = name): Tree => {
    const device = "/sys/devices/platform/soc/i2c-1/1-0068/iio:device0";
    return {
      "/sys/bus/iio/devices/iio:device0": { link: device },
      "/sys/devices/platform/soc/i2c-1/1-0068/name": `${client}\n`,
      [`${device}/name`]: `${name}\n`,
      ...Object.fromEntries(Object.entries(files).map(([file, text]) => [`${device}/${file}`, text])),
    };
  };

  test.each([
    ["0.000062500", "the volts of today's kernel"],
    ["0.062500000", "the millivolts of a mended one"],
  ])("a MCP3424 with a scale of %s is in volts: %s (kernel bug 220543)", async (scale) => {
    const tree = i2cDevice("1-0068", { in_voltage1_raw: "-16000", in_voltage1_scale: scale }, "mcp3424");
    expect(await readAll(iio, tree)).toEqual({ voltage_1: expect.closeTo(-1, 9) });
  });

  test.each([
    ["1013.250000000", "45.678000000"],
    ["101.325000000", "45678.000000000"],
  ])(
    "a BME680's %s and %s are 1013.25 hPa and 45.7 %%, whichever kernel says it (commit ae1f7b93b52)",
    async (pressure, humidity) => {
      const tree = i2cDevice("bme680", { in_pressure_input: pressure, in_humidityrelative_input: humidity });
      expect(await readAll(iio, tree)).toEqual({
        pressure: expect.closeTo(1013.25, 6),
        humidity: expect.closeTo(45.678, 6),
      });
    },
  );

  test("only these chips are mended", async () => {
    const tree = i2cDevice("si7020", {
      in_humidityrelative_input: "90",
      in_voltage0_raw: "1000",
      in_voltage_scale: "0.001",
    });
    expect(await readAll(iio, tree)).toEqual({ humidity: expect.closeTo(0.09), voltage_0: expect.closeTo(0.001) });
  });

  test("a raw value without a scale is a number without a unit", () => {
    expect(iioAttributes(["in_proximity_raw", "in_voltage3_raw"]).map(({ key, facts }) => [key, facts])).toEqual([
      ["proximity", { quantity: "number", title: "Proximity" }],
      ["voltage_3", { quantity: "number", title: "Voltage 3" }],
    ]);
  });

  test("a label of the device tree is the channel's title", async () => {
    const tree = iioDevice({ in_voltage0_input: "3300", in_voltage0_label: "battery" });
    expect((await open(iio, new SimulatedFiles(tree))).channels).toEqual({
      voltage_0: { quantity: "voltage", title: "battery" },
    });
  });

  test("a DHT that fails one reading is FILE_IO, to be tried again", async () => {
    const fail = () => {
      throw new GatewayError("FILE_IO", "EIO");
    };
    await expect(
      readAll(iio, iioDevice({ in_temp_input: fail, in_humidityrelative_input: fail })),
    ).rejects.toMatchObject({
      code: "FILE_IO",
    });
  });

  test("a channel that the kernel cannot read does not take the others with it", async () => {
    const fail = () => {
      throw new GatewayError("FILE_IO", "EINVAL");
    };
    expect(await readAll(iio, iioDevice({ in_temp_input: fail, in_pressure_input: "100" }))).toEqual({
      pressure: 1000,
    });
  });

  test.each(["", "nan", "12 34", "0x10z"])("%j is BAD_VALUE, not a number", async (text) => {
    await expect(readAll(iio, iioDevice({ in_temp_input: text }))).rejects.toMatchObject({ code: "BAD_VALUE" });
  });

  test("a device that is unbound is NOT_FOUND", async () => {
    const files = new SimulatedFiles(iioDevice({ in_temp_input: "20000" }));
    const sensor = await open(iio, files);
    files.remove("/sys/devices/platform/dht11@4/iio:device0");
    await expect(sensor.read(never)).rejects.toMatchObject({ code: "NOT_FOUND" });
  });
});

describe("hwmon", () => {
  const device = "/sys/devices/platform/x/hwmon/hwmon0";
  const board = (files: Record<string, string>): Tree => ({
    "/sys/class/hwmon/hwmon0": { link: device },
    [`${device}/name`]: "board",
    ...Object.fromEntries(Object.entries(files).map(([name, text]) => [`${device}/${name}`, text])),
  });

  test("reads every kind in our units", async () => {
    const tree = board({
      temp1_input: "21500",
      temp2_input: "-4000",
      in0_input: "3301",
      curr1_input: "425",
      power1_average: "1402500",
      humidity1_input: "51200",
      fan1_input: "1180",
      pwm1: "255",
    });
    expect(await readAll(hwmon, tree)).toEqual({
      temperature: expect.closeTo(21.5),
      temperature_2: expect.closeTo(-4),
      voltage_0: expect.closeTo(3.301),
      current: expect.closeTo(0.425),
      power: expect.closeTo(1.4025),
      humidity: expect.closeTo(51.2),
      fan: 1180,
    });
  });

  test("the shunts of an ina3221 are in µV (Documentation/hwmon/ina3221.rst), those of others in mV", async () => {
    const files = { in1_input: "11984", in4_input: "20000", in7_input: "-40", curr1_input: "2000" };
    expect(await readAll(hwmon, { ...board(files), [`${device}/name`]: "ina3221" })).toEqual({
      voltage_1: expect.closeTo(11.984, 9),
      voltage_4: expect.closeTo(0.02, 9),
      voltage_7: expect.closeTo(-0.00004, 9),
      current: expect.closeTo(2, 9),
    });
    expect(await readAll(hwmon, board({ in4_input: "20000" }))).toEqual({ voltage_4: expect.closeTo(20, 9) });
  });

  test("energy is in µJ and frequency in Hz", async () => {
    expect(await readAll(hwmon, board({ energy1_input: "3600000000000", freq1_input: "700000000" }))).toEqual({
      energy: expect.closeTo(1, 9),
      frequency: 700000000,
    });
  });

  test("a broken probe gives no value, and the others go on", async () => {
    expect(await readAll(hwmon, board({ temp1_input: "127000", temp1_fault: "1", temp2_input: "20000" }))).toEqual({
      temperature_2: 20,
    });
  });

  test("a device without anything to read is CHIP_ABSENT", async () => {
    await expect(readAll(hwmon, board({ pwm1: "255" }))).rejects.toMatchObject({ code: "CHIP_ABSENT" });
  });

  test("a label without text is none, and one that is no label is cut to a line", async () => {
    const tree = board({
      temp1_input: "1",
      temp1_label: "\n",
      temp2_input: "2",
      temp2_label: `a\nb${"x".repeat(9000)}`,
    });
    const { channels } = await open(hwmon, new SimulatedFiles(tree));
    expect(channels?.temperature).not.toHaveProperty("title");
    expect(channels?.temperature_2?.title).toBe(`a b${"x".repeat(61)}`);
  });
});
