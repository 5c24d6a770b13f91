import { expect, test } from "vitest";
import { z } from "zod";
import { driveSafe } from "../../src/cli/commands/safe-outputs.ts";
import { digitalOutput } from "../../src/drivers/digital-output.ts";
import { pwmOutput } from "../../src/drivers/pwm-output.ts";
import { simulatedHardware } from "../../src/hardware/simulated/hardware.ts";
import { FakeClock } from "../fakes/clock.ts";

test("outputs are driven to their safe states, and one that cannot be does not keep the others on", async () => {
  const clock = new FakeClock();
  const hardware = simulatedHardware({ clock, placements: [] });
  const gpio = await hardware.gpio();
  await using _taken = await gpio.input(17);
  const output = (id: string, written: object) => ({
    id,
    driver: digitalOutput,
    bus: "gpio",
    options: z.strictObject(digitalOutput.options).parse(written),
  });
  const outputs = [
    output("busy", { pin: 17 }),
    output("pump", { pin: 22, at_start: "restore" }),
    output("relay", { pin: 23, invert: true }),
    output("light", { pin: 24, safe_state: "on" }),
    {
      ...{ id: "fan", driver: pwmOutput, bus: "gpio" },
      options: z.strictObject(pwmOutput.options).parse({ pin: 18, safe_level: 20, at_start: "restore" }),
    },
  ];
  const said: string[] = [];
  const io = { out: (text: string) => void said.push(text), err: (text: string) => void said.push(text) };
  expect(await driveSafe(outputs, hardware, clock, io)).toBe(3);
  expect(said).toEqual([
    "error: busy: pin 17 on sim is in use\n",
    "pump is off\n",
    "relay is off\n",
    "light is on\n",
    "fan is at 20 %\n",
  ]);
  const levels = await Promise.all([22, 23, 24].map(async (pin) => (await gpio.input(pin)).level()));
  expect(levels).toEqual([0, 1, 1]);
  expect((await hardware.pwm()).given(18)).toBe(0.2);
});
