import { expect, test } from "vitest";
import { errorsOf, parse } from "./support.ts";

const process = (steps: string) => `devices:
  - { id: a, driver: bme280, channels: { temperature: { process: [${steps}] } } }
`;

test("an offset may be made adjustable", () => {
  const { config } = parse(process("{ calibrate: { offset: -0.4, adjustable: 5 } }"));
  expect(config.devices[0]?.channels.temperature?.process).toEqual([
    { step: "calibrate", scale: 1, offset: -0.4, adjustable: 5 },
  ]);
});

test.each([
  ["{ calibrate: { offset: 6, adjustable: 5 } }", /`offset` is beyond `adjustable`/],
  ["{ calibrate: { adjustable: 0 } }", /adjustable/],
  ["{ calibrate: { adjustable: 1 } }, { calibrate: { adjustable: 1 } }", /one of the steps at most/],
])("%s is refused", (steps, message) => {
  expect(errorsOf(process(steps))).toEqual([expect.stringMatching(message)]);
});

test.each([
  ["clear_fault", ""],
  ["temperature_offset", "channels: { temperature: { process: [{ calibrate: { adjustable: 1 } }] } },"],
])("a computed channel cannot be called %s, which Home Assistant has a control of", (key, channels) => {
  const text = (name: string) =>
    `devices: [{ id: a, driver: bme280, ${channels} computed: { ${name}: { formula: pressure } } }]`;
  expect(errorsOf(text(key))).toEqual([expect.stringContaining(`has a control ${key} of this device`)]);
  expect(parse(text(`${key}_2`)).config.devices).toHaveLength(1);
});
