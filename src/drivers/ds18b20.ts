import { z } from "zod";
import { GatewayError, isGatewayError } from "../core/errors.ts";
import type { KernelFiles } from "../hardware/files.ts";
import { filesDriver } from "./driver.ts";
import { excerpt } from "./kernel-files.ts";

const DEVICES = "/sys/bus/w1/devices";

/** Families that the kernel's w1_therm reads: DS18S20, DS1822, DS18B20, DS1825 and MAX31850, DS28EA00. */
const SENSOR = /^(10|22|28|3b|42)-[0-9a-f]{12}$/;

/** A MAX31850 is a thermocouple, of any kind from type T's -270 °C to type R's and S's 1768 °C, and shares a DS1825's family. */
const THERMOCOUPLE = { temperature: { quantity: "temperature", min: -270, max: 1768 } } as const;

/** The scratchpad's power-on value 0x0550, and 0x07FF, which a conversion without enough power leaves (w1_therm.c). */
const POWER_ON_MILLI_C = 85_000;
const STARVED_MILLI_C = 127_937;

export const ds18b20 = filesDriver({
  name: "ds18b20",
  aliases: ["ds18s20", "ds1822", "ds1825", "ds28ea00"],
  title: "Maxim DS18B20 and its family on 1-Wire: temperature",
  manufacturer: "Maxim Integrated",
  model: "DS18B20",
  options: {
    sensor: z
      .string()
      .regex(SENSOR, "expected the sensor's 1-Wire id, such as 28-00155e000001")
      .optional()
      .describe("1-Wire id of the sensor; may be left out where it is the only one"),
  },
  channels: { temperature: { quantity: "temperature", min: -55, max: 125 } },
  // A conversion at 12 bits takes up to 750 ms (table 2), and the kernel waits for it.
  // Probes without a supply of their own hold the bus meanwhile, and 24 of them wait in line.
  timing: { minIntervalMs: 1000, expectedMs: 1000, deadlineMs: 20_000 },
  notes:
    "Needs `dtoverlay=w1-gpio`. The kernel finds a new sensor within a minute, and forgets one that is gone as slowly.",

  async find(files) {
    const sensors = await sensorsOn(files);
    return sensors.map((sensor) => ({ title: `1-Wire temperature sensor ${sensor}`, options: { sensor } }));
  },

  async open(files, { sensor: wanted }) {
    const sensor = pick(await sensorsOn(files), wanted);
    return {
      serial: sensor,
      ...(sensor.startsWith("3b-") && { channels: THERMOCOUPLE }),
      read: async () => ({ values: { temperature: await readCelsius(files, sensor) } }),
    };
  },
});

async function sensorsOn(files: KernelFiles): Promise<string[]> {
  return (await files.list(DEVICES)).filter((name) => SENSOR.test(name));
}

function pick(sensors: readonly string[], wanted: string | undefined): string {
  const [only, ...others] = sensors;
  const there = only ? `there are ${sensors.join(", ")}` : "the kernel shows no sensor on any 1-Wire bus";
  if (wanted !== undefined && !sensors.includes(wanted)) {
    throw new GatewayError("CHIP_ABSENT", `no sensor ${wanted}: ${there}`);
  }
  if (wanted !== undefined) return wanted;
  if (only === undefined) throw new GatewayError("CHIP_ABSENT", there);
  if (others.length > 0) throw new GatewayError("CONFIG_INVALID", `say which \`sensor\`: ${there}`);
  return only;
}

/** Blocks in the kernel while the chip converts. Throws CHIP_ABSENT, CHECKSUM, BAD_VALUE, FILE_IO. */
async function readCelsius(files: KernelFiles, sensor: string): Promise<number> {
  const text = await readSensorFile(files, sensor, "temperature");
  if (text === "") {
    // w1_therm's temperature_show gives an empty file for a wrong CRC and for no presence pulse alike.
    throw new GatewayError("CHECKSUM", `sensor ${sensor} gave no good answer: a wrong CRC, or just unplugged`);
  }
  const milliC = decode(text);
  return (milliC === POWER_ON_MILLI_C ? await measuredAgain(files, sensor) : milliC) / 1000;
}

/** `23125`, in thousandths of a degree. Throws BAD_VALUE for anything else, and for a conversion without enough power. */
export function decode(text: string): number {
  const milliC = Number(text);
  if (!/^-?\d+$/.test(text)) throw new GatewayError("BAD_VALUE", `the sensor's file holds ${excerpt(text)}`);
  if (milliC === STARVED_MILLI_C) {
    throw new GatewayError("BAD_VALUE", `${milliC} m°C is what a conversion without enough power leaves behind`);
  }
  return milliC;
}

/** Bytes 0, 1 and 6 of the scratchpad after power-on: DS18B20 and its like, and DS18S20 (memory maps of their datasheets). */
const POWER_ON = /^(?:50 05|aa 00) (?:[0-9a-f]{2} ){4}0c/;

/**
 * 85 °C can be true: in a boiler it often is. What tells is the scratchpad, which `w1_slave` shows after a conversion of
 * its own, whose value is the one to take: byte 6 is 0x0C after power-on and 0x10 after a DS18B20's conversion to 85 °C.
 * w1_therm's own check is the same, and off by default. A DS18S20's 85.00 °C cannot be told from its power-on value.
 */
async function measuredAgain(files: KernelFiles, sensor: string): Promise<number> {
  const scratchpad = await readSensorFile(files, sensor, "w1_slave");
  if (POWER_ON.test(scratchpad)) {
    throw new GatewayError("BAD_VALUE", `sensor ${sensor} still shows its power-on value of 85 °C: it did not convert`);
  }
  const [, milliC] = /crc=[0-9a-f]{2} YES\n.* t=(-?\d+)$/.exec(scratchpad) ?? [];
  if (milliC === undefined) {
    throw new GatewayError("CHECKSUM", `sensor ${sensor} gave no good answer when asked whether 85 °C is true`);
  }
  return decode(milliC);
}

async function readSensorFile(files: KernelFiles, sensor: string, name: string): Promise<string> {
  try {
    return (await files.read(`${DEVICES}/${sensor}/${name}`)).trim();
  } catch (cause) {
    if (!isGatewayError(cause, "NOT_FOUND")) throw cause;
    throw new GatewayError("CHIP_ABSENT", `sensor ${sensor} is gone from the 1-Wire bus`, { cause });
  }
}
