import { describe, expect, test } from "vitest";
import { decode, ds18b20 } from "../../src/drivers/ds18b20.ts";
import { SimulatedFiles } from "../../src/hardware/simulated/files.ts";
import { noMemory } from "../../src/wiring/driver-memory.ts";
import { FakeClock } from "../fakes/clock.ts";
import { chipVectors } from "./vectors.ts";

const SENSOR = "28-00155e000001";
const FOLDER = `/sys/bus/w1/devices/${SENSOR}`;
const never = new AbortController().signal;

function open(files: SimulatedFiles, sensor?: string) {
  return ds18b20.port === "files"
    ? ds18b20.open(files, { sensor }, { clock: new FakeClock(), memory: noMemory })
    : Promise.reject();
}

async function read(temperature: string, w1Slave = "") {
  const files = new SimulatedFiles({ [`${FOLDER}/temperature`]: temperature, [`${FOLDER}/w1_slave`]: w1Slave });
  return await (await open(files)).read(never);
}

describe("which sensor", () => {
  const others = { "/sys/bus/w1/devices/w1_bus_master1/x": "", "/sys/bus/w1/devices/00-400000000000/x": "" };
  const two = { ...others, [`${FOLDER}/x`]: "", "/sys/bus/w1/devices/10-000801b5a7a6/x": "" };

  test("the only one need not be named, and is the device's serial number", async () => {
    expect(await open(new SimulatedFiles({ ...others, [`${FOLDER}/x`]: "" }))).toMatchObject({ serial: SENSOR });
  });

  test("none is CHIP_ABSENT", async () => {
    await expect(open(new SimulatedFiles(others))).rejects.toMatchObject({ code: "CHIP_ABSENT" });
  });

  test("several without a name is CONFIG_INVALID, which names them", async () => {
    await expect(open(new SimulatedFiles(two))).rejects.toMatchObject({
      code: "CONFIG_INVALID",
      message: `say which \`sensor\`: there are 10-000801b5a7a6, ${SENSOR}`,
    });
  });

  test("one that is not there is CHIP_ABSENT, and the message says which are", async () => {
    await expect(open(new SimulatedFiles(two), "28-0000000000ff")).rejects.toMatchObject({
      code: "CHIP_ABSENT",
      message: `no sensor 28-0000000000ff: there are 10-000801b5a7a6, ${SENSOR}`,
    });
  });

  test("scan finds every family that the kernel reads, and no bus master", async () => {
    const found = ds18b20.port === "files" ? await ds18b20.find?.(new SimulatedFiles(two)) : [];
    expect(found?.map(({ options }) => options.sensor)).toEqual(["10-000801b5a7a6", SENSOR]);
  });
});

describe("what the kernel's file holds", () => {
  test.each(chipVectors.ds18b20[0]!.expect.temperatureC as number[])("%d °C as w1_therm prints it", (temperatureC) => {
    expect(decode(String(Math.trunc(temperatureC * 1000))) / 1000).toBeCloseTo(temperatureC, 3);
  });

  test("a temperature", async () => {
    expect(await read("-10125\n")).toEqual({ values: { temperature: -10.125 } });
  });

  test("nothing is CHECKSUM, never zero", async () => {
    await expect(read("")).rejects.toMatchObject({ code: "CHECKSUM" });
  });

  test.each(["garbage", "12.5", "1e3", "NaN"])("%s is BAD_VALUE", async (text) => {
    await expect(read(text)).rejects.toMatchObject({ code: "BAD_VALUE" });
  });

  test("127.937 °C, left by a conversion without enough power, is BAD_VALUE", async () => {
    await expect(read("127937\n")).rejects.toMatchObject({ code: "BAD_VALUE" });
  });

  test("85 °C with the power-on scratchpad is BAD_VALUE", async () => {
    const scratchpad = "50 05 4b 46 7f ff 0c 10 1c : crc=1c YES\n50 05 4b 46 7f ff 0c 10 1c t=85000\n";
    await expect(read("85000\n", scratchpad)).rejects.toMatchObject({ code: "BAD_VALUE" });
  });

  test("85 °C with the power-on scratchpad of a DS18S20 is BAD_VALUE", async () => {
    const scratchpad = "aa 00 4b 46 ff ff 0c 10 87 : crc=87 YES\naa 00 4b 46 ff ff 0c 10 87 t=85000\n";
    await expect(read("85000\n", scratchpad)).rejects.toMatchObject({ code: "BAD_VALUE" });
  });

  test("85 °C that the next conversion does not confirm is not 85 °C, but what that one gave", async () => {
    const scratchpad = "72 01 4b 46 7f ff 0e 10 57 : crc=57 YES\n72 01 4b 46 7f ff 0e 10 57 t=23125\n";
    expect(await read("85000\n", scratchpad)).toEqual({ values: { temperature: 23.125 } });
  });

  test.each([
    ["with a wrong CRC", "50 05 4b 46 7f ff 10 10 00 : crc=1c NO\n50 05 4b 46 7f ff 10 10 00 t=85000\n"],
    ["with nothing", ""],
  ])("85 °C that the next conversion answers %s is CHECKSUM", async (_how, scratchpad) => {
    await expect(read("85000\n", scratchpad)).rejects.toMatchObject({ code: "CHECKSUM" });
  });

  test("85 °C that was measured is 85 °C", async () => {
    const scratchpad = "50 05 4b 46 7f ff 10 10 1c : crc=1c YES\n50 05 4b 46 7f ff 10 10 1c t=85000\n";
    expect(await read("85000\n", scratchpad)).toEqual({ values: { temperature: 85 } });
  });
});

test("a MAX31850, which shares a DS1825's family, may be as hot as a thermocouple", async () => {
  const sensor = await open(new SimulatedFiles({ "/sys/bus/w1/devices/3b-000000183bd1/temperature": "1200500\n" }));
  expect(sensor.channels?.temperature).toMatchObject({ min: -270, max: 1768 });
  expect(await sensor.read(never)).toEqual({ values: { temperature: 1200.5 } });
});

test("a sensor that leaves the bus is CHIP_ABSENT", async () => {
  const files = new SimulatedFiles({ [`${FOLDER}/temperature`]: "20000" });
  const sensor = await open(files);
  files.remove(FOLDER);
  await expect(sensor.read(never)).rejects.toMatchObject({ code: "CHIP_ABSENT" });
});
