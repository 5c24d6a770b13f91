import { describe, expect, it } from "vitest";
import { importMqttIo } from "../../src/import/mqtt-io/convert.ts";
import { checked, written } from "./support.ts";

const modules = `gpio_modules: [{ name: rpi, module: raspberrypi }]
sensor_modules: [{ name: bme, module: bme280, chip_addr: 0x76 }, { name: accel, module: adxl345, chip_addr: 0x53 }]
`;
const mqtt = (discovery: string, rest = "") =>
  `mqtt: { host: b, topic_prefix: home/, ${rest} ha_discovery: { ${discovery} } }\n${modules}`;
const on = mqtt("enabled: yes");
/** `printf home | sha1sum`: its default client id is made of the topic prefix, without slashes at its end. */
const CLIENT = "mqtt-io-e83249bd3ba79932e16fb1fb5100dafade9954c2";

const inputs = `digital_inputs: [{ name: door, module: rpi, pin: 5 }]
digital_outputs: [{ name: lamp, module: rpi, pin: 6 }]
sensor_inputs:
  - { name: hall_temperature, module: bme, type: temperature }
  - { name: hall_pressure, module: bme, type: pressure }
`;

interface Device {
  readonly channels?: Readonly<Record<string, { readonly home_assistant?: unknown }>>;
}
const entitiesIn = (text: string) =>
  (written(importMqttIo(text).yaml).devices as readonly Device[]).map(({ channels }) =>
    Object.fromEntries(
      Object.entries(channels ?? {}).flatMap(([key, one]) => (one.home_assistant ? [[key, one.home_assistant]] : [])),
    ),
  );
const notes = (text: string) => importMqttIo(text).notes;

describe("entities that mqtt-io announced", () => {
  it("go on as the channels' (the ids and topics of its home_assistant.py), and the check accepts that", () => {
    expect(entitiesIn(on + inputs)).toEqual([
      {
        temperature: {
          unique_id: `${CLIENT}_bme_sensor_hall_temperature`,
          migrate_from: `homeassistant/sensor/${CLIENT}/hall_temperature/config`,
        },
        pressure: {
          unique_id: `${CLIENT}_bme_sensor_hall_pressure`,
          migrate_from: `homeassistant/sensor/${CLIENT}/hall_pressure/config`,
        },
      },
      {
        state: {
          unique_id: `${CLIENT}_rpi_input_door`,
          migrate_from: `homeassistant/binary_sensor/${CLIENT}/door/config`,
        },
      },
      {
        state: {
          unique_id: `${CLIENT}_rpi_output_lamp`,
          migrate_from: `homeassistant/switch/${CLIENT}/lamp/config`,
        },
      },
    ]);
    expect(checked(importMqttIo(on + inputs).yaml).config.devices[1]?.channels.state?.entity?.uniqueId).toContain(
      "_rpi_input_door",
    );
    expect(notes(on + inputs)).toContain(
      "its retained status stays at the broker: `mosquitto_pub -r -n -t 'home/status'`",
    );
  });

  it("have its own client id and prefix where the file has them", () => {
    const [, door] = entitiesIn(mqtt("enabled: yes, prefix: ha", "client_id: porch,") + inputs);
    expect(door).toEqual({
      state: { unique_id: "porch_rpi_input_door", migrate_from: "ha/binary_sensor/porch/door/config" },
    });
  });

  it("are none where discovery is off, or the name is none that Home Assistant takes", () => {
    expect(entitiesIn(mqtt("enabled: no") + inputs)).toEqual([{}, {}, {}]);
    const spaced = `${on}digital_inputs: [{ name: front door, module: rpi, pin: 5 }]`;
    expect(entitiesIn(spaced)).toEqual([{}]);
    expect(notes(spaced).join()).not.toContain("front door/config");
  });

  it.each([
    [
      "of another platform",
      "digital_outputs: [{ name: lamp, module: rpi, pin: 6, ha_discovery: { component: light } }]",
      `light/${CLIENT}/lamp`,
    ],
    [
      "of a device that is left out",
      "digital_inputs: [{ name: a, module: rpi, pin: 99 }]",
      `binary_sensor/${CLIENT}/a`,
    ],
    [
      "of what the check refuses",
      "digital_inputs: [{ name: a, module: rpi, pin: 4 }, { name: b, module: rpi, pin: 4 }]",
      `binary_sensor/${CLIENT}/b`,
    ],
    ["of several channels", "sensor_inputs: [{ name: axes, module: accel, type: all }]", `sensor/${CLIENT}/axes`],
    [
      "of a channel that another is already",
      "sensor_inputs: [{ name: a, module: bme }, { name: b, module: bme }]",
      `sensor/${CLIENT}/b`,
    ],
  ])("%s stay, and it is said how they end", (_, text, topic) => {
    expect(notes(on + text).join("\n")).toContain(
      `ends with \`mosquitto_pub -r -n -t 'homeassistant/${topic}/config'\``,
    );
    expect(importMqttIo(on + text).yaml).not.toContain(`migrate_from: homeassistant/${topic}/config`);
  });

  it("that two inputs of one name shared go on as one channel", () => {
    const text = "digital_inputs: [{ name: a, module: rpi, pin: 4 }, { name: a, module: rpi, pin: 5 }]";
    expect(entitiesIn(on + text)).toEqual([{ state: expect.anything() }, {}]);
  });

  it("of a counter is its rate", () => {
    const text = `${mqtt("enabled: yes").replace("sensor_modules: [", "sensor_modules: [{ name: flow, module: flowsensor }, ")}
sensor_inputs: [{ name: water, module: flow, pin: 4, factor: 7.5 }]`;
    expect(entitiesIn(text)).toEqual([{ rate: expect.objectContaining({ unique_id: `${CLIENT}_flow_sensor_water` }) }]);
  });
});
