import { describe, expect, it, test } from "vitest";
import { importMqttIo } from "../../src/import/mqtt-io/convert.ts";
import { examples } from "./examples.ts";
import { checked, written } from "./support.ts";

const example = (name: string) => importMqttIo(examples[name] ?? "");

/** The connection and one entry of each kind that a test is not about. */
const base = "mqtt: { host: broker.lan }\ngpio_modules: [{ name: rpi, module: raspberrypi }]\n";
const device = (text: string) => written(importMqttIo(base + text).yaml).devices[0];
const notes = (text: string) => importMqttIo(base + text).notes;

describe("what mqtt-io's documentation shows", () => {
  it.each(Object.keys(examples))("%s is accepted by the check, and every note is a comment in it", (name) => {
    const { yaml, notes: told, devices } = example(name);

    expect(checked(yaml).config.devices).toHaveLength(devices);
    for (const note of told) expect(yaml).toContain(`# ${note}\n`);
  });

  test("inputs, outputs and sensors become devices, and a stream is left out", () => {
    const { yaml, notes: told } = example("the first example of its README");

    expect(written(yaml)).toEqual({
      mqtt: { url: "mqtt://localhost:1883", base_topic: "home" },
      home_assistant: { enabled: false },
      devices: [
        { id: "porch_temperature", driver: "lm75", address: 0x48, interval: "60s" },
        { id: "doorbell", driver: "digital-input", pin: 0 },
        { id: "porch_light", driver: "digital-output", pin: 1 },
      ],
    });
    expect(told).toEqual([
      "stream_modules[0] (alarm_system): left out: serial ports and streams are not read",
      "digital_outputs[0] (porch_light): driven to its safe state, off, at each start: there, without `initial`, it stayed as it was",
    ]);
    expect(yaml).toContain("address: 0x48\n");
  });

  test("TLS and discovery are carried over", () => {
    expect(written(example("the connection of its schema").yaml)).toMatchObject({
      mqtt: {
        url: "mqtts://test.mosquitto.org:8883",
        tls: { ca: "mosquitto.org.crt", cert: "client.crt", key: "client.key" },
      },
      home_assistant: { enabled: true },
    });
  });

  test("inputs of one module are the channels of one device, and 000803702e49 is an address, no number", () => {
    const { yaml, notes: told } = example("the sensors of its schema");

    expect(written(yaml).devices).toEqual([
      {
        id: "dht",
        driver: "dht22",
        device: "dht11@4",
        interval: "30s",
        channels: { temperature: { name: "Workshop Temperature" }, humidity: { name: "Workshop Humidity" } },
      },
      {
        id: "boiler",
        driver: "ds18b20",
        sensor: "10-000803702e49",
        interval: "60s",
        channels: { temperature: { decimals: 2 } },
      },
    ]);
    expect(told).toContain(
      "sensor_modules[0] (dht): its inputs have several intervals; the device is read every 30s, the shortest",
    );
  });

  test("a BME680 keeps its settings, gives gas resistance, and no index", () => {
    const { yaml, notes: told } = example("its BME680");

    expect(written(yaml).devices[0]).toMatchObject({
      driver: "bme680",
      bus: "i2c-0",
      address: 0x77,
      filter: 3,
      oversampling: 8,
      channels: { gas_resistance: { name: "Living Room Gas Resistance" } },
    });
    expect(told).toContain(
      "sensor_inputs[4] (air_quality): left out: gas resistance is measured, and no index is made of it",
    );
    expect(told).toContain("mqtt.status_payload_dead: the status is `online` or `offline`");
  });

  test("a flow sensor becomes a counter of litres: 0.2 Hz at a litre a minute are 12 pulses a litre", () => {
    const { yaml, notes: told } = example("a flow sensor, an ENS160 and a lightning detector of its modules");

    expect(written(yaml).devices[0]).toMatchObject({ driver: "pulse-counter", pin: 0, unit: "L", interval: "10s" });
    expect(written(yaml).devices[0]?.per_pulse).toBeCloseTo(1 / 12, 8);
    expect(told).toContain("sensor_modules[2] (AS3935_Sensor): left out: there is no driver for as3935");
  });
});

describe("the password", () => {
  const { yaml, notes: told } = importMqttIo("mqtt: { host: h, user: me, password: s3cret-of-mine }");

  it("is a reference, never the text", () => {
    expect(yaml).toContain("password: !secret mqtt_password\n");
    expect(`${yaml}${told.join()}`).not.toContain("s3cret");
    expect(checked(yaml).config.mqtt.password?.reveal()).toBe("of the old file");
  });
});

describe("a digital input", () => {
  it("keeps pull, polarity, bounce time and device class", () => {
    const text = `digital_inputs: [{ name: Front Door, module: rpi, pin: 22, pullup: yes, inverted: yes, interrupt: both,
      bouncetime: 50, ha_discovery: { name: Front door, device_class: door, component: binary_sensor } }]`;

    expect(device(text)).toEqual({
      id: "front_door",
      name: "Front door",
      driver: "digital-input",
      pin: 22,
      pull: "up",
      invert: true,
      debounce: "50ms",
      device_class: "door",
    });
    expect(notes(text)).toEqual([]);
  });

  it("on a chip that there is no driver for is left out, with the reason", () => {
    const text = `digital_inputs: [{ name: b, module: xl, pin: 1 }]`;

    expect(device(text)).toBeUndefined();
    expect(notes(text)).toEqual(["digital_inputs[0] (b): left out, as the module xl is not carried over"]);
  });

  it("tells of payloads, edges and keys that ours does not have", () => {
    const text = `digital_inputs: [{ name: b, module: rpi, pin: 1, on_payload: "open", interrupt: rising, colour: red }]`;

    expect(notes(text)).toEqual([
      "digital_inputs[0] (b).interrupt: both edges are sent",
      "digital_inputs[0] (b).on_payload: a state is `on` or `off`, and a command `on`, `off` or `toggle`",
      "digital_inputs[0] (b).colour: not carried over: fieldpost has nothing like it",
    ]);
  });
});

describe("a digital output", () => {
  const output = (more: string) => device(`digital_outputs: [{ name: o, module: rpi, pin: 5, ${more} }]`);

  it.each([
    ["initial: low", {}],
    ["initial: high", { safe_state: "on" }],
    ["initial: low, inverted: yes", { safe_state: "on", invert: true }],
    ["initial: high, inverted: yes", { invert: true }],
  ])("with %s starts at the same level", (more, options) => {
    expect(output(more)).toEqual({ id: "o", driver: "digital-output", pin: 5, ...options });
  });

  it("with timed_set_ms goes back by itself", () => {
    expect(output("timed_set_ms: 1500")).toMatchObject({ on_for: "1500ms" });
  });
});

describe("an expander", () => {
  const text = (module: string, more: string) => `mqtt: { host: h }\ngpio_modules: [{ name: IO, ${module} }]\n${more}`;
  const mcp = "module: mcp23017, chip_addr: 0x21";

  it("is a device, and what is on its pins names it", () => {
    const pins =
      "digital_inputs: [{ name: gate, module: IO, pin: 15, pullup: yes }]\ndigital_outputs: [{ name: fan, module: IO, pin: 8, initial: low }]";
    const { yaml, notes: told } = importMqttIo(text(mcp, pins));

    expect(written(yaml).devices).toEqual([
      { id: "io", driver: "mcp23017", address: 0x21 },
      { id: "gate", driver: "digital-input", pin: { expander: "io", pin: 15 }, pull: "up" },
      { id: "fan", driver: "digital-output", pin: { expander: "io", pin: 8 } },
    ]);
    expect(told).toEqual([]);
    expect(checked(yaml).config.devices).toHaveLength(3);
  });

  it.each([
    ["an MCP23017", mcp, "pulldown: yes", "digital_inputs[0] (b).pulldown: io has no pull-downs"],
    [
      "a PCF8574",
      "module: pcf8574, i2c_bus_num: 1, chip_addr: 0x20",
      "pulldown: yes",
      "digital_inputs[0] (b).pulldown: io has no pull-downs",
    ],
  ])("that is %s has no pull-downs, which is said", (_what, module, more, note) => {
    const { yaml, notes: told } = importMqttIo(
      text(module, `digital_inputs: [{ name: b, module: IO, pin: 1, ${more} }]`),
    );

    expect(written(yaml).devices[1]).toEqual({ id: "b", driver: "digital-input", pin: { expander: "io", pin: 1 } });
    expect(told).toEqual([note]);
  });

  it("has no more pins than it has", () => {
    const pcf = "module: pcf8574, i2c_bus_num: 3, chip_addr: 0x38";
    const { yaml, notes: told } = importMqttIo(text(pcf, "digital_inputs: [{ name: b, module: IO, pin: 8 }]"));

    expect(written(yaml).devices).toEqual([{ id: "io", driver: "pcf8574", bus: "i2c-3", address: 0x38 }]);
    expect(told).toEqual([
      "digital_inputs[0] (b).pin: 8 is no pin from 0 to 7",
      "digital_inputs[0] (b): it is left out",
    ]);
  });

  it("that our check refuses takes what is on its pins with it", () => {
    const wrong = "module: mcp23017, chip_addr: 0x50";
    const { yaml, notes: told } = importMqttIo(text(wrong, "digital_inputs: [{ name: b, module: IO, pin: 1 }]"));

    expect(written(yaml).devices).toEqual([]);
    expect(told.map((note) => note.replace(/out: .*/, "out"))).toEqual(["io: left out", "b: left out"]);
  });
});

describe("what our check would refuse", () => {
  it.each([
    [
      "a pin that two want",
      "digital_inputs: [{ name: a, module: rpi, pin: 4 }, { name: b, module: rpi, pin: 4 }]",
      "b: left out: pin: pin 4 is taken already by `a`: a pin serves one device",
    ],
    [
      "an address that the chip cannot have",
      "sensor_modules: [{ name: s, module: bme280, i2c_bus_num: 1, chip_addr: 0x10 }]\nsensor_inputs: [{ name: t, module: s }]",
      "t: left out: address: `address: 0x10`: a bme280 has 0x76 or 0x77",
    ],
  ])("%s, is left out with the check's reason", (_what, text, note) => {
    expect(checked(importMqttIo(base + text).yaml).config.devices.length).toBeLessThan(2);
    expect(notes(text)).toContain(note);
  });
});

describe("a file that is none", () => {
  it.each([
    ["broken YAML", "mqtt: [", /^line 1, column \d+: /],
    ["a template", "mqtt: {{ host }", /where it is a template, render it first$/],
    ["depth without end", "[".repeat(100_000), /^nested too deeply/],
  ])("%s, is refused with a sentence", (_what, text, message) => {
    expect(() => importMqttIo(text)).toThrow(message);
  });
});

test("text that looks like a reference to the environment stays as it is", () => {
  const name = `a \${HOME} $\${x}`;
  const { yaml } = importMqttIo(`mqtt: { host: h, ha_discovery: { enabled: yes, name: "${name}" } }`);

  expect(checked(yaml).config.gateway.name).toBe(name);
});
