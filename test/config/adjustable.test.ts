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
