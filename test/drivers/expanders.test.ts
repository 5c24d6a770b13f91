import { expect, test } from "vitest";
import { z } from "zod";
import type { ExpanderDriver } from "../../src/drivers/driver.ts";
import { expanderPlace } from "../../src/drivers/expander-place.ts";
import { mcp23008, mcp23017, pcf8574, pcf8575 } from "../../src/drivers/expanders.ts";
import { simulatedHardware } from "../../src/hardware/simulated/hardware.ts";
import { FakeClock } from "../fakes/clock.ts";

const all = [mcp23008, mcp23017, pcf8574, pcf8575];

async function portOf(driver: ExpanderDriver) {
  const [address] = driver.addresses;
  const placements = [{ id: "io", driver: driver.name, bus: "sim", address }];
  const hardware = simulatedHardware({ clock: new FakeClock(), placements });
  const options = z.strictObject(driver.options).parse({});
  const place = expanderPlace({ id: "io", driver, bus: "sim", options });
  return await hardware.expander(place ?? expect.fail("it is no expander"));
}

test.each(all.map((driver) => [driver.name, driver] as const))(
  "%s says of its pins and their resistors what its port has",
  async (_name, driver) => {
    await using port = await portOf(driver);
    await expect(port.input(driver.lines)).rejects.toMatchObject({ code: "PIN_MISSING" });
    for (const pull of ["up", "down", "off"] as const) {
      const opening = port.input(driver.lines - 1, { pull });
      if (driver.pulls.includes(pull)) await (await opening)[Symbol.asyncDispose]();
      else await expect(opening).rejects.toMatchObject({ code: "CONFIG_INVALID" });
    }
  },
);
