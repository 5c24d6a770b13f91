import fc from "fast-check";
import { expect, test } from "vitest";
import { stringify } from "yaml";
import { importMqttIo } from "../../src/import/mqtt-io/convert.ts";
import { checked } from "./support.ts";

/** What mqtt-io's schema (config.schema.yml and its modules' CONFIG_SCHEMA) lets through, edges and nonsense included. */
const name = fc.oneof(
  fc.constantFrom("door", "Door", "status", "health", "ä ö", "a.b/c", "-", "x".repeat(90)),
  fc.string({ minLength: 1, maxLength: 20, unit: "binary" }),
);
const text = fc.oneof(
  fc.constantFrom("ON", `\${HOME}`, "$${", "a: b", "# no", "!secret x", "yes", "1"),
  fc.string({ unit: "binary" }),
);
const optional = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });
const seconds = fc.oneof(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 1, max: 2 ** 31 }));

const discovery = fc.record(
  {
    component: fc.constantFrom("sensor", "binary_sensor", "switch", "light"),
    name: text,
    device_class: fc.constantFrom("motion", "door", "temperature", "garage_door", "switch"),
    unit_of_measurement: text,
    expire_after: fc.nat(),
    icon: text,
  },
  { requiredKeys: [] },
);

const mqtt = fc.record(
  {
    host: fc.oneof(
      fc.constantFrom("localhost", "broker.lan", "::1", "10.0.0.1", "a b", "a/b", "x@y"),
      text.filter((host) => host !== ""),
    ),
    port: fc.integer({ min: 1, max: 65_535 }),
    user: text,
    password: text,
    client_id: text,
    topic_prefix: fc.oneof(fc.constantFrom("home", "home/", "/x", "$SYS", "a/+/b", "#"), text),
    clean_session: fc.boolean(),
    protocol: fc.constantFrom("3.1", "3.1.1"),
    keepalive: seconds,
    status_topic: text,
    ha_discovery: fc.record({ enabled: fc.boolean(), prefix: text, name: text }, { requiredKeys: ["enabled"] }),
    tls: fc.record(
      { enabled: fc.boolean(), ca_certs: text, certfile: text, keyfile: text, insecure: fc.boolean(), ciphers: text },
      { requiredKeys: ["enabled"] },
    ),
    reconnect_count: fc.integer({ min: -1 }),
  },
  { requiredKeys: ["host"] },
);

const MODULES = ["rpi", "gd", "pcf", "mcp", "xl"];
const pin = fc.oneof(fc.integer({ min: 0, max: 60 }), fc.constantFrom("GPIO4", "17", "PA7", "J8:7"));
const digital = {
  name,
  module: fc.constantFrom(...MODULES),
  pin,
  inverted: fc.boolean(),
  retain: fc.boolean(),
  on_payload: text,
};
const input = fc.record(
  {
    ...digital,
    pullup: fc.boolean(),
    pulldown: fc.boolean(),
    interrupt: fc.constantFrom("rising", "falling", "both"),
    bouncetime: fc.integer({ min: 1, max: 2 ** 31 }),
    poll_interval: fc.double({ min: 0.01, max: 100, noNaN: true }),
    ha_discovery: discovery,
  },
  { requiredKeys: ["name", "module", "pin"] },
);
const output = fc.record(
  {
    ...digital,
    timed_set_ms: fc.integer(),
    initial: fc.constantFrom("high", "low"),
    publish_initial: fc.boolean(),
    ha_discovery: discovery,
  },
  { requiredKeys: ["name", "module", "pin"] },
);

const i2c = {
  i2c_bus_num: fc.integer({ min: 0, max: 20 }),
  chip_addr: fc.oneof(fc.constantFrom(0x10, 0x23, 0x39, 0x40, 0x44, 0x48, 0x53, 0x68, 0x76, 0x77), fc.integer()),
};
const types: Readonly<Record<string, readonly string[]>> = {
  ads1x15: ["value", "voltage"],
  adxl345: ["all", "x", "y", "z"],
  aht20: ["temperature", "humidity"],
  bh1750: [],
  bme280: ["temperature", "humidity", "pressure"],
  bme680: ["temperature", "humidity", "pressure", "gas", "air_quality"],
  bmp085: ["temperature", "pressure", "altitude"],
  dht22: ["temperature", "humidity"],
  ds18b: [],
  ens160: ["aqi", "tvoc", "eco2"],
  flowsensor: [],
  frequencycounter: [],
  hcsr04: [],
  ina219: ["power", "current", "bus_voltage", "shunt_voltage"],
  lm75: [],
  mcp3008: [],
  mpu6050: ["gyro", "accel", "all", "temp"],
  sht4x: ["temperature", "humidity"],
  tsl2561: ["lux", "broadband", "infrared"],
  veml7700: ["lux", "light", "lux_corrected"],
  yfs201: [],
};
const kind = fc.constantFrom(...Object.keys(types));
const settings = fc.record(
  {
    ...i2c,
    gain: fc.constantFrom(0.6666666666666666, 0.125, 1, 2, 16, "AUTO", "2_80MV"),
    integration_time: fc.constantFrom(13.7, 25, 101, 402, 800),
    filter_size: fc.constantFrom(0, 3, 127, 5),
    shunt_ohms: fc.double({ min: -1, max: 1 }),
    max_amps: fc.double({ min: 0 }),
    temperature_compensation: fc.double(),
    pin: fc.integer({ min: 0, max: 60 }),
    pins: fc.subarray([0, 1, 2, 3]),
    address: fc.constantFrom("000803702e49", "0008037023AA", "28-0000001", "x"),
    cleanup: fc.boolean(),
  },
  { requiredKeys: [] },
);
const chipType = fc.constantFrom("ADS1015", "ADS1115", "DHT11", "am2302", "DS18B20", "MAX31850K", "ds28ea00");
const sensorModule = fc.record({ kind, settings, type: optional(chipType) });
const sensorInput = fc.record(
  {
    name,
    of: fc.nat({ max: 7 }),
    typeIndex: fc.nat({ max: 5 }),
    interval: seconds,
    digits: fc.nat({ max: 40 }),
    pin: fc.integer({ min: 0, max: 5 }),
    factor: fc.double({ noNaN: true }),
    oversampling: fc.constantFrom("none", "1x", "16x"),
    retain: fc.boolean(),
    ha_discovery: discovery,
  },
  { requiredKeys: ["name", "of", "typeIndex"] },
);

const configuration = fc
  .record({
    mqtt,
    inputs: fc.array(input, { maxLength: 6 }),
    outputs: fc.array(output, { maxLength: 6 }),
    modules: fc.array(sensorModule, { maxLength: 6 }),
    sensors: fc.array(sensorInput, { maxLength: 10 }),
    pcfAddress: fc.integer({ min: 0x1f, max: 0x28 }),
    streams: fc.array(fc.record({ name, module: fc.constant("serial") }), { maxLength: 1 }),
  })
  .map(({ mqtt: connection, inputs, outputs, modules, sensors, streams, pcfAddress }) => ({
    mqtt: connection,
    gpio_modules: [
      { name: "rpi", module: "raspberrypi" },
      { name: "gd", module: "gpiod", chip: "/dev/gpiochip4" },
      { name: "pcf", module: "pcf8574", i2c_bus_num: 1, chip_addr: pcfAddress },
      { name: "mcp", module: "mcp23017" },
      { name: "xl", module: "xl9535", i2c_bus_num: 1, chip_addr: 0x22 },
    ],
    digital_inputs: inputs,
    digital_outputs: outputs,
    sensor_modules: modules.map((module, index) => ({
      name: `m${index}`,
      module: module.kind,
      ...module.settings,
      ...(module.type !== undefined && { type: module.type }),
    })),
    sensor_inputs: sensors.map(({ of, typeIndex, ...sensor }) => {
      const offered = types[modules[of]?.kind ?? ""] ?? [];
      const type = offered[typeIndex % (offered.length + 1)];
      return { ...sensor, module: `m${of}`, ...(type !== undefined && { type }) };
    }),
    stream_modules: streams,
  }));

const asPythonWrites = (value: unknown): string => stringify(value, { version: "1.1" });

test("any configuration of mqtt-io gives one that the check accepts, with each of its things carried or told of", () => {
  fc.assert(
    fc.property(configuration, (value) => {
      const { yaml, notes, devices } = importMqttIo(asPythonWrites(value));

      const { config } = checked(yaml);
      expect(config.devices).toHaveLength(devices);
      expect(config.mqtt.password === undefined).toBe(!value.mqtt.password);
      const pins = [...value.digital_inputs, ...value.digital_outputs];
      const carried = config.devices.filter(({ driver }) => driver.name.startsWith("digital-")).length;
      const leftOut = notes.filter((note) =>
        /^(digital_.*: (it is )?left out|[a-z0-9_-]+: left out: )/.test(note),
      ).length;
      expect(carried + leftOut).toBeGreaterThanOrEqual(pins.length);
      for (const note of notes) expect(note).toMatch(/^[^\p{Cc}]+$/u);
    }),
    { numRuns: 150 },
  );
});

test("any text gives a configuration that the check accepts, or a sentence", () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string({ unit: "binary" }),
        fc.json(),
        configuration.map((value) => asPythonWrites(value).slice(0, 300)),
      ),
      (value) => {
        let imported: ReturnType<typeof importMqttIo>;
        try {
          imported = importMqttIo(value);
        } catch (error) {
          expect(error).toMatchObject({ code: "CONFIG_INVALID" });
          return;
        }
        checked(imported.yaml);
      },
    ),
    { numRuns: 150 },
  );
});
