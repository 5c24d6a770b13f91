import { describe, expect, test } from "vitest";
import { configuredChannels } from "../../src/drivers/driver.ts";
import { drivers } from "../../src/drivers/registry.ts";
import { DeviceProcessing } from "../../src/wiring/device-processing.ts";
import { keptState } from "../../src/wiring/kept-state.ts";
import { parse } from "../config/support.ts";
import { FakeClock } from "../fakes/clock.ts";
import { fakeLog } from "../fakes/log.ts";

/** Meta values of a store. */
function fakeMeta() {
  const meta = new Map<string, string>();
  return {
    meta,
    store: {
      getMeta: (key: string) => meta.get(key),
      setMeta: (key: string, value: string) => void meta.set(key, value),
    },
  };
}

/** The processing of a BME280 that is configured so, in a boot of its own. */
function bme280(settings: string, { store } = fakeMeta(), clock = new FakeClock()) {
  const text = `devices: [{ id: climate, driver: bme280, ${settings} }]`;
  const { config } = parse(text, { drivers });
  const [device] = config.devices;
  if (!device) throw new Error("no device");
  const own = configuredChannels(device.driver, device.options);
  const log = fakeLog();
  const deps = { kept: keptState(store, clock), boot: clock.bootId(), log };
  const processing = new DeviceProcessing(device.id, device.channels, device.computed, deps);
  const take = (values: Record<string, number>) => {
    const sample = processing.take({ values }, own, clock.monoMs());
    return sample?.values;
  };
  return { clock, log, processing, take, channels: processing.channels(own) };
}

describe("what a device publishes after its processing", () => {
  test("is what the configuration asks for", () => {
    const { take } = bme280(
      "channels: { temperature: { process: [{ calibrate: { offset: -0.4 } }, { median: 3 }, { round: 1 } ] }, humidity: { enabled: false } }",
    );
    expect(take({ temperature: 20.44, humidity: 50, pressure: 1000 })).toEqual({ temperature: 20, pressure: 1000 });
    expect(take({ temperature: 50, humidity: 50, pressure: 1000 })).toEqual({ temperature: 34.8, pressure: 1000 });
    expect(take({ temperature: 20.44, humidity: 50, pressure: 1000 })).toEqual({ temperature: 20, pressure: 1000 });
  });

  test("computes of channels that are not published, in the unit and class of the ready-made formula", () => {
    const { take, channels } = bme280(
      `channels: { humidity: { enabled: false } },
       computed: {
         dew_point: { formula: "dew_point(temperature, humidity)" },
         vpd: { formula: "vapour_pressure_deficit(temperature, humidity)", name: VPD },
         sea_level: { formula: "sea_level_pressure(pressure, temperature, 120)", decimals: 1 },
         twice: { formula: "temperature * 2", process: [{ clamp: { max: 45 } }] } }`,
    );
    expect(take({ temperature: 25, humidity: 50, pressure: 1000 })).toEqual({
      temperature: 25,
      pressure: 1000,
      dew_point: 13.85,
      vpd: 1.58,
      sea_level: 1013.8,
      twice: 45,
    });
    expect(channels.map(({ key, title, unit, quantity }) => [key, title, unit, quantity])).toEqual([
      ["temperature", "Temperature", "°C", "temperature"],
      ["pressure", "Pressure", "hPa", "pressure"],
      ["dew_point", "Dew point", "°C", "temperature"],
      ["vpd", "VPD", "kPa", "pressure"],
      ["sea_level", "Sea level", "hPa", "pressure"],
      ["twice", "Twice", undefined, "number"],
    ]);
  });

  test("has a window's statistics as channels, and a rate's unit", () => {
    const { channels } = bme280(
      `channels: {
         temperature: { process: [{ aggregate: { window: 1m, give: [mean, max, count] } }] },
         temperature_max: { name: Hottest },
         pressure: { process: [{ derive: { per: h } }] } }`,
    );
    expect(channels.map(({ key, title, unit, quantity }) => [key, title, unit, quantity])).toEqual([
      ["temperature", "Temperature", "°C", "temperature"],
      ["temperature_max", "Hottest", "°C", "temperature"],
      ["temperature_count", "Temperature count", undefined, "number"],
      ["humidity", "Humidity", "%", "humidity"],
      ["pressure", "Pressure", "hPa/h", "number"],
    ]);
  });
});

test("rejected values are told of when they begin and when they end, not each time", () => {
  const { take, log } = bme280("channels: { temperature: { process: [{ range: { max: 30 } }] } }");
  for (const temperature of [20, 31, 32, 33, 21]) take({ temperature });
  expect(log.lines.map(({ level, message }) => [level, message])).toEqual([
    ["warn", "values are rejected"],
    ["info", "values are taken again"],
  ]);
});

test("rejection is a fault from the third time in a row until a value is taken again; one spike is none", () => {
  const { take, processing } = bme280("channels: { temperature: { process: [{ range: { max: 30 } }] } }");
  const faultsAfter = (temperature: number) => {
    take({ temperature });
    return processing.faults();
  };

  expect([31, 20, 31, 32].map(faultsAfter)).toEqual([[], [], [], []]);
  expect(faultsAfter(33)).toEqual([
    { code: "REJECTED", channel: "temperature", message: "temperature is rejected by `range` since it was 31" },
  ]);
  expect(faultsAfter(34)).toEqual(processing.faults());
  expect(faultsAfter(21)).toEqual([]);
});

describe("what processing remembers", () => {
  const smooth = "channels: { temperature: { process: [{ mean: 2 }] } }";

  test("outlives the process", () => {
    const kept = fakeMeta();
    bme280(smooth, kept).take({ temperature: 10 });
    expect(bme280(smooth, kept).take({ temperature: 20 })).toEqual({ temperature: 15 });
  });

  test("is forgotten with another configuration of the steps", () => {
    const kept = fakeMeta();
    bme280(smooth, kept).take({ temperature: 10 });
    const other = "channels: { temperature: { process: [{ mean: 3 }] } }";
    expect(bme280(other, kept).take({ temperature: 20 })).toEqual({ temperature: 20 });
  });

  test("is written now and then, not with each reading", () => {
    const kept = fakeMeta();
    const writes: string[] = [];
    const store = { ...kept.store, setMeta: (key: string) => void writes.push(key) };
    const { take } = bme280(smooth, { ...kept, store });
    for (let n = 0; n < 100; n++) take({ temperature: n });
    expect(writes).toEqual(["process/climate"]);
  });
});

test("a value that was rejected as a spike is taken once its fault is cleared, other steps go on", () => {
  const steps = "[{ spike: 5 }, { mean: 2 }]";
  const { take, processing } = bme280(`channels: { temperature: { process: ${steps} } }`);
  for (const temperature of [20, 40, 60, 80]) take({ temperature });
  expect(processing.faults()).toMatchObject([{ code: "REJECTED", channel: "temperature" }]);
  processing.clearFault();
  expect(processing.faults()).toEqual([]);
  expect(take({ temperature: 80 })).toEqual({ temperature: 50 });
});

describe("an offset that can be changed", () => {
  const ADJUSTABLE =
    "channels: { temperature: { process: [{ calibrate: { offset: 1, adjustable: 5 } }, { spike: 50 }] } }";
  const shown = ({ channels }: ReturnType<typeof bme280>) => channels.find(({ key }) => key === "temperature")?.offset;

  test("counts from the next value on, over restarts, and until it is as configured again", () => {
    const meta = fakeMeta();
    const first = bme280(ADJUSTABLE, meta);
    expect(shown(first)).toEqual({ value: 1, limit: 5, unit: "°C", decimals: 2 });
    expect(first.take({ temperature: 20 })).toEqual({ temperature: 21 });
    expect(first.processing.setOffset("temperature", -0.5)).toBe(-0.5);
    expect(first.take({ temperature: 20 })).toEqual({ temperature: 19.5 });
    const second = bme280(ADJUSTABLE, meta);
    expect(shown(second)?.value).toBe(-0.5);
    expect(second.take({ temperature: 20 })).toEqual({ temperature: 19.5 });
    expect(second.processing.setOffset("temperature", undefined)).toBe(1);
    expect(second.take({ temperature: 20 })).toEqual({ temperature: 21 });
    expect(shown(bme280(ADJUSTABLE, meta))?.value).toBe(1);
  });

  test("gives way to another one in the configuration, and to a narrower limit", () => {
    const meta = fakeMeta();
    bme280(ADJUSTABLE, meta).processing.setOffset("temperature", 4);
    expect(shown(bme280(ADJUSTABLE.replace("offset: 1", "offset: 2"), meta))?.value).toBe(2);
    expect(shown(bme280(ADJUSTABLE.replace("adjustable: 5", "adjustable: 3"), meta))?.value).toBe(1);
  });

  test("is one of adjustable channels alone, computed ones too, in the unit where it is added", () => {
    const { processing, take, channels } = bme280(
      `channels: { temperature: { process: [{ calibrate: { adjustable: 2 } }, { derive: { per: h } }] } },
       computed: { double: { formula: pressure * 2, process: [{ calibrate: { adjustable: 9 } }] } }`,
    );
    expect(["temperature", "humidity", "double"].map((key) => processing.offsetLimit(key))).toEqual([2, undefined, 9]);
    expect(channels.find(({ key }) => key === "temperature")).toMatchObject({ unit: "°C/h", offset: { unit: "°C" } });
    processing.setOffset("double", 3);
    expect(take({ temperature: 1, pressure: 100 })).toMatchObject({ double: 203 });
  });
});

test("a unit that was typed with the micro sign is spelt as Home Assistant spells it", () => {
  const { channels } = bme280('computed: { dust: { formula: "pressure * 2", quantity: pm25, unit: "\u00b5g/m³" } }');
  expect(channels.find(({ key }) => key === "dust")?.unit).toBe("\u03bcg/m³");
});
