import { expect, test } from "vitest";
import { GatewayError } from "../../src/core/errors.ts";
import { channelsOf, i2cDriver, sampleOf } from "../../src/drivers/driver.ts";
import { i2cDevice } from "../../src/hardware/i2c.ts";
import { SimulatedI2cBus } from "../../src/hardware/simulated/i2c-bus.ts";
import { FakeClock } from "../fakes/clock.ts";

test("a sample leaves out what has no data", () => {
  expect(sampleOf({ a: 1, b: undefined })).toEqual({ values: { a: 1 } });
});

test("a channel takes from its quantity what it does not say itself", () => {
  const [plain, own] = channelsOf({
    temperature: { quantity: "temperature" },
    probe: { quantity: "temperature", title: "Probe", decimals: 1, max: 300 },
  });
  expect(plain).toMatchObject({ key: "temperature", title: "Temperature", decimals: 2 });
  expect(own).toMatchObject({ key: "probe", title: "Probe", decimals: 1, max: 300 });
});

test("a chip is identified before it is opened, and not touched if it is another", async () => {
  const did: string[] = [];
  const driver = (mismatch: boolean) =>
    i2cDriver({
      name: "x",
      title: "x",
      addresses: [0x40],
      options: {},
      channels: {},
      timing: { minIntervalMs: 1, expectedMs: 1 },
      async identify() {
        if (mismatch) throw new GatewayError("CHIP_MISMATCH", "another");
        did.push("identify");
        return { serial: "42" };
      },
      async open() {
        did.push("open");
        return { read: async () => ({ values: {} }) };
      },
    });
  const clock = new FakeClock();
  const memory = { load: () => undefined, save: () => undefined };
  const chip = i2cDevice(new SimulatedI2cBus("sim", clock), 0x40);
  expect(await driver(false).open(chip, {}, { clock, memory })).toMatchObject({ serial: "42" });
  await expect(driver(true).open(chip, {}, { clock, memory })).rejects.toMatchObject({ code: "CHIP_MISMATCH" });
  expect(did).toEqual(["identify", "open"]);
});
