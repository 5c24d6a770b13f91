import { describe, expect, test } from "vitest";
import { LinuxPwm } from "../../../src/hardware/linux/pwm.ts";
import { pwmContract } from "../../contracts/pwm.ts";
import { FakeClock } from "../../fakes/clock.ts";
import { FakeSysfsPwm } from "../../fakes/sysfs-pwm.ts";

const pi4 = [
  { name: "pwmchip1", device: "fe20c800.pwm", channels: 2 },
  { name: "pwmchip0", device: "fe20c000.pwm", channels: 2 },
];
const pi5 = [
  { name: "pwmchip0", device: "1f0009c000.pwm", channels: 4 },
  { name: "pwmchip2", device: "1f00098000.pwm", channels: 4 },
  { name: "pwmchip4", device: "1-0040", channels: 16 },
];
const settings = { periodNs: 1_000_000, initial: 0 };

function open(chips: ConstructorParameters<typeof FakeSysfsPwm>[1] = pi5) {
  const clock = new FakeClock();
  const sysfs = new FakeSysfsPwm(clock, chips);
  return { clock, sysfs, pwm: new LinuxPwm(sysfs, clock) };
}

pwmContract("the kernel's, on the header", async () => {
  const { sysfs, pwm } = open(pi4);
  const given = async () => sysfs.given("pwmchip0/pwm0").at(-1) ?? 0;
  return { pwm, pin: 18, missing: [17, { chip: "1-0040", channel: 0 }, { chip: "fe20c800.pwm", channel: 2 }], given };
});

pwmContract("the kernel's, of another chip", async () => {
  const { sysfs, pwm } = open();
  const given = async () => sysfs.given("pwmchip4/pwm3").at(-1) ?? 0;
  return { pwm, pin: { chip: "1-0040", channel: 3 }, missing: [{ chip: "1-0041", channel: 3 }], given };
});

test("a pin says which file sets it when this process is dead", async () => {
  const { pwm, sysfs } = open(pi4);
  const output = await pwm.output(18, { ...settings, initial: 0.5 });
  const { path, text } = output.byFile?.(0.25) ?? { path: "", text: "" };
  await sysfs.write(path, text);
  expect(await output.duty()).toBe(0.25);
});

describe("the header's pins", () => {
  test.each([
    ["a Pi 4", pi4, { 12: "pwmchip0/pwm0", 13: "pwmchip0/pwm1", 18: "pwmchip0/pwm0", 19: "pwmchip0/pwm1" }],
    ["a Pi 5", pi5, { 12: "pwmchip2/pwm0", 13: "pwmchip2/pwm1", 18: "pwmchip2/pwm2", 19: "pwmchip2/pwm3" }],
  ] as const)("of %s are channels of the right chip, whatever its number", async (_name, chips, places) => {
    for (const [pin, place] of Object.entries(places)) {
      const { pwm, sysfs } = open(chips);
      await pwm.output(Number(pin), { ...settings, initial: 0.5 });
      expect(sysfs.given(place).at(-1)).toBe(0.5);
    }
  });

  test("that share a channel are not two outputs", async () => {
    const { pwm } = open(pi4);
    await pwm.output(12, settings);
    await expect(pwm.output(18, settings)).rejects.toMatchObject({
      code: "PIN_BUSY",
      message: expect.stringMatching(/pin 12/),
    });
  });

  test("without the overlay say which line of config.txt is missing", async () => {
    const { pwm } = open([]);
    await expect(pwm.output(12, settings)).rejects.toMatchObject({
      code: "PIN_MISSING",
      message: expect.stringContaining("dtoverlay=pwm,pin=12,func=4"),
    });
  });
});

describe("a channel", () => {
  test("that ran before us, with another period, never gives more than the larger of its old and its new share", async () => {
    for (const period of [100_000, 10_000_000]) {
      const { pwm, sysfs } = open(pi4);
      sysfs.leave("pwmchip0/pwm0", { period, duty: period * 0.8, enable: "1" });
      await pwm.output(18, { ...settings, initial: 0.1 });
      expect(Math.max(...sysfs.given("pwmchip0/pwm0"))).toBeLessThanOrEqual(0.8);
      expect(sysfs.given("pwmchip0/pwm0").at(-1)).toBe(0.1);
    }
  });

  test("that was left with an inverse polarity is put right while it is off", async () => {
    const { pwm, sysfs } = open(pi4);
    sysfs.leave("pwmchip0/pwm0", { period: 1_000_000, duty: 0, enable: "1", polarity: "inversed" });
    const output = await pwm.output(18, { ...settings, initial: 0.25 });
    expect([sysfs.given("pwmchip0/pwm0").at(-1), await output.duty()]).toEqual([0.25, 0.25]);
  });

  test("waits for udev, and says which file never became ours", async () => {
    const { clock, pwm, sysfs } = open(pi4);
    sysfs.udevDelayMs = 200;
    const opening = pwm.output(18, settings);
    await clock.advance(300);
    await using _output = await opening;
    sysfs.udevDelayMs = 60_000;
    const refused = expect(pwm.output(19, settings)).rejects.toMatchObject({
      code: "ACCESS_DENIED",
      message: expect.stringContaining("/sys/class/pwm/pwmchip0/pwm1/period"),
    });
    await clock.advance(4000);
    await refused;
  });

  test("in the hands of the kernel is PIN_BUSY", async () => {
    const { pwm, sysfs } = open(pi4);
    sysfs.held.add("pwmchip0/pwm1");
    await expect(pwm.output(13, settings)).rejects.toMatchObject({ code: "PIN_BUSY" });
  });

  test("whose chip is taken away is PIN_MISSING, and is not what it was set to last", async () => {
    const { pwm, sysfs } = open();
    const output = await pwm.output({ chip: "1-0040", channel: 3 }, settings);
    sysfs.remove("pwmchip4");
    await expect(output.duty()).rejects.toMatchObject({ code: "PIN_MISSING" });
    await expect(output.set(1)).rejects.toMatchObject({ code: "PIN_MISSING" });
  });

  test("that somebody else turned off reads as 0", async () => {
    const { pwm, sysfs } = open(pi4);
    const output = await pwm.output(18, { ...settings, initial: 1 });
    await sysfs.write("/sys/class/pwm/pwmchip0/pwm0/enable", "0");
    expect(await output.duty()).toBe(0);
  });
});
