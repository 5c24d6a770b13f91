import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { blinkLed } from "../../src/hardware/linux/identify.ts";
import { FakeClock } from "../fakes/clock.ts";

test("the LED blinks for ten seconds, and shows after that what it showed before", async () => {
  const directory = mkdtempSync(join(tmpdir(), "leds-"));
  const [missing, led] = [join(directory, "ACT"), join(directory, "led0")];
  mkdirSync(led);
  const trigger = join(led, "trigger");
  writeFileSync(trigger, "none timer heartbeat [mmc0] cpu\n");
  writeFileSync(join(led, "brightness"), "0\n");
  const clock = new FakeClock();
  expect(await blinkLed(clock, new AbortController().signal, [missing, led])).toBe(true);
  expect(readFileSync(trigger, "utf8")).toBe("timer");
  await clock.advance(10_000);
  await expect.poll(() => readFileSync(trigger, "utf8")).toBe("mmc0");
  expect(await blinkLed(clock, new AbortController().signal, [missing])).toBe(false);
  rmSync(directory, { recursive: true });
});

test("a LED that was simply on is on again", async () => {
  const led = mkdtempSync(join(tmpdir(), "led-"));
  writeFileSync(join(led, "trigger"), "[none] timer\n");
  writeFileSync(join(led, "brightness"), "255\n");
  const clock = new FakeClock();
  await blinkLed(clock, new AbortController().signal, [led]);
  writeFileSync(join(led, "brightness"), "0\n");
  await clock.advance(10_000);
  await expect.poll(() => readFileSync(join(led, "brightness"), "utf8")).toBe("255\n");
  expect(readFileSync(join(led, "trigger"), "utf8")).toBe("none");
  rmSync(led, { recursive: true });
});
