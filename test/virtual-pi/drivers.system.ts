import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { configuration, throughBundled } from "./bench.ts";
import { TREE } from "./boot.ts";
import { attempt, run, wire, writeJson } from "./guest.ts";
import { bosch280, type Climate, closeTo, freezing, hot, kernelClimate, mild } from "./sensors.ts";

const config = "/home/pi/read.yaml";
const weathers = { mild, hot, freezing };

/** `fieldpost read` of the chip at 0x76, by the user pi. */
async function read(driver: string) {
  const device = { id: "climate", driver, bus: "i2c-1", address: 0x76 };
  await writeJson(config, configuration("/home/pi/data-read", throughBundled, [device]));
  const { code, stdout, stderr } = await attempt(
    `cd ${TREE} && runuser -u pi -- node dist/main.js read climate --json --config ${config}`,
  );
  return { code, text: `${stdout}${stderr}`, ...(code === 0 && { answer: JSON.parse(stdout) }) };
}

/** The first object in `answer` that has a temperature, wherever the command's JSON keeps it. */
function climateIn(answer: unknown): Partial<Climate> {
  if (typeof answer !== "object" || answer === null) return {};
  if ("temperature" in answer && typeof answer.temperature === "number") return answer as Climate;
  return (
    Object.values(answer)
      .map(climateIn)
      .find((found) => "temperature" in found) ?? {}
  );
}

beforeAll(() => run("systemctl stop mosquitto"));
afterAll(() => run("rm -f /run/vi2c.json"));

describe.each([
  ["bme280", "60"],
  ["bmp280", "58"],
] as const)("the kernel's %s driver and ours", (driver, id) => {
  test.each(Object.entries(weathers))("agree on the same registers: %s", async (_, raw) => {
    await wire({ "76": bosch280(id, raw) });
    const expected = await kernelClimate(driver);
    const { text, answer } = await read(driver);
    const ours = climateIn(answer);
    expect(closeTo(expected, ours), `kernel ${JSON.stringify(expected)}\n${text}`).toBe(true);
  });
});

/** `fieldpost scan` by the user pi: what it found at 0x76. */
async function scanned() {
  const { stdout } = await attempt(`cd ${TREE} && runuser -u pi -- node dist/main.js scan --json --config /nowhere`);
  const { chips } = JSON.parse(stdout) as { chips: { bus: string; address: string }[] };
  return chips.filter(({ bus, address }) => bus === "i2c-1" && address === "0x76");
}

test("`scan` tells chips by their identity, and leaves one alone that the kernel's driver has", async () => {
  await wire({ "76": bosch280("60", mild) });
  expect(await scanned()).toMatchObject([{ driver: "bme280" }]);
  await wire({ "76": bosch280("58", mild) });
  expect(await scanned()).toMatchObject([{ driver: "bmp280" }]);
  await run("modprobe bmp280-i2c && vpi bind 1 bmp280 0x76");
  try {
    expect(await scanned()).toEqual([{ bus: "i2c-1", address: "0x76", kernel: "bmp280" }]);
  } finally {
    await run("vpi unbind 1 0x76");
  }
});

test("while the kernel's driver holds the chip, `read` says who has it", async () => {
  await wire({ "76": bosch280("60", mild) });
  await run("modprobe bmp280-i2c && vpi bind 1 bme280 0x76");
  try {
    const { code, text } = await read("bme280");
    expect(code).not.toBe(0);
    expect(text).toMatch(/kernel driver/);
  } finally {
    await run("vpi unbind 1 0x76");
  }
});
