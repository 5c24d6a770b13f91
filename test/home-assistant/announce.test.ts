import { describe, expect, test } from "vitest";
import { binaryDeviceClasses } from "../../src/core/binary-classes.ts";
import type { Channel, DeviceInfo } from "../../src/core/device.ts";
import type { GatewayInfo } from "../../src/core/gateway.ts";
import { type Quantity, type QuantityName, quantities, quantityOf } from "../../src/core/quantity.ts";
import { topicsOf } from "../../src/core/topics.ts";
import { channelsOf } from "../../src/drivers/driver.ts";
import { drivers } from "../../src/drivers/registry.ts";
import { type AnnounceOptions, announce, announceAll, withdraw } from "../../src/home-assistant/announce.ts";
import { isSamePlatform } from "../../src/home-assistant/migration.ts";
import { sensorClasses } from "../../src/home-assistant/sensor-classes.ts";
import facts from "../fixtures/home-assistant-facts.json" with { type: "json" };
import { objections } from "./checker.ts";

const gateway: GatewayInfo = {
  id: "green-house",
  name: "Greenhouse gateway",
  area: "Greenhouse",
  instance: "0a1b",
  version: "1.2.3",
  host: "pi",
  model: "Raspberry Pi 4 Model B Rev 1.4",
  kernel: "6.12",
  broker: "external",
  epoch: 3,
};
const topics = topicsOf("fieldpost", gateway.id);
const plain: AnnounceOptions = { prefix: "homeassistant" };
const full: AnnounceOptions = {
  ...plain,
  looksForUpdates: true,
  expireAfterS: 300,
  supportUrl: "https://example.org/fieldpost",
};

function channel(quantity: QuantityName, rest: Partial<Channel> = {}): Channel {
  const { title, unit, decimals }: Quantity = quantityOf(quantity);
  const eventTypes = quantity === "event" && { eventTypes: ["single", "double"] };
  return { key: quantity, title, quantity, decimals, ...(unit !== undefined && { unit }), ...eventTypes, ...rest };
}

function device(channels: readonly Channel[], rest: Partial<DeviceInfo> = {}): DeviceInfo {
  return { id: "d-1", name: "Device", driver: "sim", intervalMs: 1000, channels, ...rest };
}

const everyQuantity = Object.keys(quantities) as QuantityName[];

function componentsOf(info: DeviceInfo, options = plain): Record<string, Record<string, unknown>> {
  return JSON.parse(announce(gateway, info, topics, options).payload).components;
}

describe("Home Assistant takes every message that can be made", () => {
  const variants: Record<string, Partial<Channel>> = {
    plain: {},
    diagnostic: { diagnostic: true },
    "of another unit": { unit: "furlong" },
    "without a unit": {},
    "of a sensor's class": { deviceClass: "temperature" },
    "of a binary sensor's class": { deviceClass: "door" },
  };
  for (const [name, rest] of Object.entries(variants)) {
    test.each(everyQuantity)(`%s, ${name}`, (quantity) => {
      const made = channel(quantity, rest);
      const { unit: _unit, ...unitless } = made;
      for (const options of [plain, full]) {
        const { topic, payload } = announce(
          gateway,
          device([name === "without a unit" ? unitless : made]),
          topics,
          options,
        );
        expect(objections(topic, payload)).toEqual([]);
      }
    });
  }

  test("the gateway's own, and a device with everything", () => {
    const rich = device(
      everyQuantity.map((quantity) => channel(quantity)),
      {
        manufacturer: "M",
        model: "X",
        serial: "1",
        area: "Roof",
      },
    );
    for (const options of [plain, full]) {
      for (const { topic, payload } of announceAll(gateway, [rich], topics, options)) {
        expect(objections(topic, payload)).toEqual([]);
      }
    }
  });

  test("the checker itself objects to what Home Assistant refuses", () => {
    const { topic, payload } = announce(gateway, device([channel("temperature")]), topics, plain);
    const message = JSON.parse(payload);
    message["~"] = "x";
    message.components.temperature.unit_of_measurement = "C";
    message.components.temperature.colour = "red";
    expect(objections(topic, JSON.stringify(message))).toHaveLength(3);
  });
});

test("the tables of classes are Home Assistant's", () => {
  expect([...binaryDeviceClasses]).toEqual(facts.binary_sensor.device_classes);
  for (const [name, { units, stateClasses }] of Object.entries(sensorClasses)) {
    const known = facts.sensor.device_class_units as Record<string, (string | null)[]>;
    expect(units.map((unit) => unit ?? null)).toEqual(known[name]);
    expect(stateClasses).toEqual((facts.sensor.device_class_state_classes as Record<string, string[]>)[name]);
  }
});

describe("what it says", () => {
  test("the gateway comes first, and every device hangs on it", () => {
    const messages = announceAll(gateway, [device([channel("temperature")])], topics, plain);
    expect(messages.map(({ topic }) => topic)).toEqual([
      "homeassistant/device/green-house/gateway/config",
      "homeassistant/device/green-house/d-1/config",
    ]);
    const [first, second] = messages.map(({ payload }) => JSON.parse(payload));
    expect(second.device.via_device).toBe(first.device.identifiers[0]);
    expect(second).toMatchObject({
      availability: [{ topic: "fieldpost/green-house/status" }, { topic: "fieldpost/green-house/d-1/status" }],
      availability_mode: "all",
      state_topic: "fieldpost/green-house/d-1/state",
      origin: { name: "fieldpost", sw_version: "1.2.3" },
    });
  });

  test("an entity's ids come from gateway, device and channel, never from a name", () => {
    const before = componentsOf(device([channel("temperature", { title: "Soil" })], { name: "Old" }));
    const after = componentsOf(device([channel("temperature", { title: "Air" })], { name: "New" }));
    expect(before.temperature).toMatchObject({
      unique_id: "green-house_d-1_temperature",
      default_entity_id: "sensor.green_house_d_1_temperature",
    });
    expect(after.temperature?.unique_id).toBe(before.temperature?.unique_id);
  });

  test("a lone channel of a class keeps Home Assistant's own name, two of a kind have their titles", () => {
    expect(componentsOf(device([channel("temperature")])).temperature).not.toHaveProperty("name");
    const two = componentsOf(device([channel("temperature"), channel("temperature", { key: "t2", title: "Board" })]));
    expect([two.temperature?.name, two.t2?.name]).toEqual(["Temperature", "Board"]);
  });

  test("a unit that the class does not take costs the class, not the entity", () => {
    const { pressure } = componentsOf(device([channel("pressure", { unit: "furlong" })]));
    expect(pressure).toMatchObject({ unit_of_measurement: "furlong", state_class: "measurement" });
    expect(pressure).not.toHaveProperty("device_class");
  });

  test("a water meter in litres is water, and may be in cubic metres", () => {
    const inM3 = componentsOf(device([channel("volume", { unit: "m³" })])).volume;
    expect(inM3).toMatchObject({ device_class: "water", unit_of_measurement: "m³", state_class: "total_increasing" });
  });

  test("an output is a switch that says where it hears commands, and takes no class of another platform", () => {
    const { state } = componentsOf(
      device([{ ...channel("binary"), key: "state", settable: "switch", deviceClass: "door" }]),
    );
    expect(state).toMatchObject({
      platform: "switch",
      default_entity_id: expect.stringMatching(/^switch\./),
      command_topic: expect.stringMatching(/\/state\/set$/),
    });
    expect(state).not.toHaveProperty("device_class");
    const outlet = componentsOf(
      device([{ ...channel("binary"), key: "state", settable: "switch", deviceClass: "outlet" }]),
    );
    expect(outlet.state).toMatchObject({ device_class: "outlet" });
  });

  test("a button is an event on a topic of its own, which neither a state nor time makes unavailable", () => {
    const press: Channel = { ...channel("event"), key: "press", title: "Button", deviceClass: "button" };
    expect(componentsOf(device([press]), full).press).toEqual({
      platform: "event",
      unique_id: "green-house_d-1_press",
      default_entity_id: "event.green_house_d_1_press",
      name: "Button",
      event_types: ["single", "double"],
      state_topic: "fieldpost/green-house/d-1/press/event",
      device_class: "button",
      qos: 1,
    });
  });

  test("a meter's total stays a sensor, and a number beside it sets it", () => {
    const total: Channel = { ...channel("count", { unit: "L" }), key: "total", title: "Total", decimals: 3 };
    const { total: shown, total_set: setter } = componentsOf(device([{ ...total, settable: "meter" }]), full);
    expect(shown).toMatchObject({ platform: "sensor", state_class: "total_increasing", expire_after: 300 });
    expect(shown).not.toHaveProperty("command_topic");
    expect(setter).toEqual({
      platform: "number",
      unique_id: "green-house_d-1_total_set",
      default_entity_id: "number.green_house_d_1_total_set",
      name: "Set total",
      value_template: "{{ value_json['total'] | default('None') }}",
      unit_of_measurement: "L",
      command_topic: "fieldpost/green-house/d-1/total/set",
      min: 0,
      max: 1e9,
      step: 0.001,
      mode: "box",
      entity_category: "config",
      qos: 1,
    });
  });

  test.each([
    [undefined, "number", ["value_template"], { min: 0, max: 100, step: 0.1, unit_of_measurement: "%" }],
    ["light", "light", ["brightness_value_template", "state_value_template"], { brightness_scale: 100 }],
    ["fan", "fan", ["percentage_value_template", "state_value_template"], {}],
  ] as const)("an output with levels of the class %s is a %s", (deviceClass, platform, templates, more) => {
    const level: Channel = { ...channel("ratio"), key: "level", title: "Level", min: 0, max: 100, settable: "level" };
    const info = device([{ ...level, ...(deviceClass && { deviceClass }) }]);
    const { topic, payload } = announce(gateway, info, topics, full);
    expect(objections(topic, payload)).toEqual([]);
    const component = componentsOf(info, full).level;
    expect(component).toMatchObject({ platform, command_topic: "fieldpost/green-house/d-1/level/set", ...more });
    for (const template of templates) expect(component?.[template]).toContain("value_json['level']");
    expect(component).not.toHaveProperty("expire_after");
  });

  test("four of the gateway's diagnostics are enabled", () => {
    const [{ payload } = { payload: "" }] = announceAll(gateway, [], topics, plain);
    const components: Record<string, { enabled_by_default?: boolean; entity_category: string; platform: string }> =
      JSON.parse(payload).components;
    const shown = Object.entries(components).filter(([, component]) => component.enabled_by_default !== false);
    const enabled = shown.filter(([, { platform }]) => platform !== "button").map(([key]) => key);
    expect(enabled).toEqual(["problem", "pending", "dropped", "clock"]);
    expect(Object.values(components).every((component) => component.entity_category !== undefined)).toBe(true);
  });

  test("a channel goes on as the entity that it was, whose own topic the message takes the place of", () => {
    const migrateFrom = "homeassistant/sensor/mqtt-io-1/hall/config";
    const old = channel("temperature", { entity: { uniqueId: "mqtt-io-1_dht_sensor_hall", migrateFrom } });
    const told = announce(gateway, device([old, channel("humidity")]), topics, plain);
    expect(objections(told.topic, told.payload)).toEqual([]);
    expect(told.replaces).toEqual([{ topic: migrateFrom, payload: '{"migrate_discovery":true}' }]);
    const { temperature, humidity } = JSON.parse(told.payload).components;
    expect(temperature.unique_id).toBe("mqtt-io-1_dht_sensor_hall");
    expect(humidity.unique_id).toBe("green-house_d-1_humidity");
    expect(announce(gateway, device([channel("humidity")]), topics, plain)).not.toHaveProperty("replaces");
  });

  test("an entity of another platform is seen not to be the channel's", () => {
    const topic = "homeassistant/light/mqtt-io-1/lamp/config";
    const lamp = channel("binary", { entity: { uniqueId: "u", migrateFrom: topic } });
    expect(isSamePlatform(topic, [lamp], { binary: { platform: "light" } })).toBe(true);
    expect(isSamePlatform(topic, [lamp], { binary: { platform: "switch" } })).toBe(false);
  });

  test.each(["switch", "level", "meter"] as const)("a %s goes on as its former entity", (settable) => {
    const quantity = settable === "switch" ? "binary" : settable === "level" ? "ratio" : "count";
    const components = componentsOf(device([channel(quantity, { settable, entity: { uniqueId: "u" }, max: 100 })]));
    expect(components[quantity]?.unique_id).toBe("u");
    expect(components[`${quantity}_set`]?.unique_id).not.toBe("u");
  });

  test("a device's button to clear its fault works while the device is offline, and is there for those who look for it", () => {
    const { clear_fault: button } = componentsOf(device([channel("temperature")]));
    expect(button).toMatchObject({
      platform: "button",
      command_topic: "fieldpost/green-house/request/clear_fault",
      payload_press: '{"device":"d-1"}',
      availability: [{ topic: "fieldpost/green-house/status" }],
      entity_category: "config",
      enabled_by_default: false,
    });
  });

  test("an offset that can be changed is a number beside its channel, of no class, as the device's config shows it", () => {
    const offset = { value: -0.4, limit: 5, unit: "°C", decimals: 2 };
    const info = device([channel("temperature", { offset, title: "Soil" }), channel("humidity")]);
    const { topic, payload } = announce(gateway, info, topics, full);
    expect(objections(topic, payload)).toEqual([]);
    const components = componentsOf(info, full);
    expect(components).not.toHaveProperty("humidity_offset");
    expect(components.temperature_offset).toEqual({
      platform: "number",
      unique_id: "green-house_d-1_temperature_offset",
      default_entity_id: "number.green_house_d_1_temperature_offset",
      name: "Soil offset",
      state_topic: "fieldpost/green-house/d-1/config",
      value_template: "{{ (value_json.offsets | default({}))['temperature'] | default('None') }}",
      command_topic: "fieldpost/green-house/d-1/temperature_offset/set",
      min: -5,
      max: 5,
      step: 0.01,
      unit_of_measurement: "°C",
      mode: "box",
      icon: "mdi:tune-variant",
      entity_category: "config",
      qos: 1,
    });
  });

  test.each([
    ["total", channel("count", { key: "total", settable: "meter" })],
    ["level", channel("ratio", { key: "level", settable: "level", min: 0, max: 100 })],
    ["offset", channel("temperature", { offset: { value: 0, limit: 1, decimals: 9 } })],
  ] as const)("a %s of nine decimals has a step that Home Assistant takes", (_, made) => {
    const info = device([{ ...made, decimals: 9 }]);
    const { topic, payload } = announce(gateway, info, topics, full);
    expect(objections(topic, payload)).toEqual([]);
    const steps = Object.values(componentsOf(info)).flatMap(({ step }) => (step === undefined ? [] : [step]));
    expect(steps).toEqual([0.001]);
  });

  test("withdrawing empties exactly the topics that were announced", () => {
    const messages = announceAll(gateway, [device([channel("temperature")])], topics, plain);
    expect(withdraw(messages)).toEqual(messages.map((message) => ({ ...message, payload: "" })));
  });
});

test.each(drivers.map((driver) => [driver.name, driver] as const))(
  "Home Assistant takes what %s announces",
  (_name, driver) => {
    const info = device(channelsOf(driver.channels), { driver: driver.name });
    const { topic, payload } = announce(gateway, info, topics, full);
    expect(objections(topic, payload)).toEqual([]);
  },
);
