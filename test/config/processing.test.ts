import { describe, expect, it } from "vitest";
import { errorsOf, noticesOf } from "./support.ts";

const process = (steps: string, rest = "") =>
  `devices:\n  - { id: a, driver: bme280, channels: { temperature: { process: [${steps}] } } ${rest} }\n`;
const computed = (channels: string) => `devices:\n  - { id: a, driver: bme280, computed: { ${channels} } }\n`;

describe("processing steps", () => {
  it.each([
    ["{ medain: 5 }", "did you mean `median`?"],
    ["{ median: 2 }", "expected"],
    ["{ range: {} }", "expected `min`, `max` or both"],
    ["{ clamp: { min: 5, max: 1 } }", "`min` is above `max`"],
    ["{ throttle: 10 }", "expected a duration with its unit"],
    ["{ exponential: 1.5 }", "expected"],
    ["{ calibrate: { points: [[1, 2], [1, 3]] } }", "the sensor's values must rise"],
    ["{ aggregate: { window: 1m, give: [average] } }", "expected"],
    ["{ formula: 'value +' }", "but it ends here (character 8)"],
    ["{ formula: 'value + temprature' }", "there is no channel `temprature`; did you mean `temperature`?"],
  ])("refuse %s", (steps, message) => {
    const errors = errorsOf(process(steps));
    expect(errors).toHaveLength(1);
    expect(errors[0]).toContain(message);
  });

  it.each([
    "{ calibrate: { scale: 2 } }",
    "{ calibrate: { points: [[0, 1], [10, 12.5]] } }",
    "{ mean: 10 }, { exponential: 0.2 }, { exponential: { time_constant: 30s } }",
    "{ spike: 5 }, { spike: { change: 5, confirm: 4 } }, { throttle: 10s }",
    "{ aggregate: 5m }, { aggregate: { window: 5m, give: [mean, max] } }",
    "{ derive: {} }, { derive: { per: h, counter: true } }, { formula: 'value * 1.8 + 32' }",
  ])("take %s", (steps) => {
    expect(noticesOf(process(steps))).toEqual([]);
  });

  it("know the channels of a window, and warn where there is no number", () => {
    const settings = "temperature: { process: [{ aggregate: { window: 1m, give: [mean, max] } }] }";
    const text = `devices:\n  - { id: a, driver: bme280, channels: { ${settings}, temperature_max: { decimals: 1 } } }\n`;
    expect(noticesOf(text)).toEqual([]);
    const contact =
      "devices: [{ id: a, driver: digital-input, pin: 4, channels: { state: { process: [{ mean: 2 }] } } }]";
    expect(noticesOf(contact)).toMatchObject([{ message: "state is no number: these steps leave it as it is" }]);
  });
});

describe("computed channels", () => {
  it.each([
    ["dew: { formula: 'dew_point(temperature, humdity)' }", "there is no channel `humdity`"],
    ["dew: { formula: 'dewpoint(temperature, 1)' }", "there is no function `dewpoint`"],
    ["temperature: { formula: '1 + 1' }", "a bme280 has a channel temperature of its own"],
    ["'a b': { formula: 'temperature' }", "expected a channel's key"],
    ["dew: { formula: 'temperature', quantity: binary }", "expected"],
    ["dew: {}", "`formula` is missing"],
  ])("refuse %s", (channels, message) => {
    const errors = errorsOf(computed(channels));
    expect(errors).toHaveLength(1);
    expect(errors[0]).toContain(message);
  });

  it("may refer to each other", () => {
    expect(noticesOf(computed("a: { formula: 'temperature * 2' }, b: { formula: 'a + pressure' }"))).toEqual([]);
  });
});
