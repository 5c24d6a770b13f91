import { describe, expect, test } from "vitest";
import { GatewayError } from "../../src/core/errors.ts";
import type { DriverMemory, FilesDriver } from "../../src/drivers/driver.ts";
import { host } from "../../src/drivers/host.ts";
import { SimulatedFiles, type Tree } from "../../src/hardware/simulated/files.ts";
import { noMemory } from "../../src/wiring/driver-memory.ts";
import { FakeClock } from "../fakes/clock.ts";

const never = new AbortController().signal;
const open = (tree: Tree, disk = "/") =>
  (host as FilesDriver).open(new SimulatedFiles(tree), { disk }, { clock: new FakeClock(), memory: noMemory });
const memoryOf = (): DriverMemory => {
  let kept: string | undefined;
  return {
    load: () => kept,
    save(text) {
      kept = text;
    },
  };
};
const valuesOn = async (tree: Tree) => (await (await open(tree)).read(never)).values;

const virtualMachine: Tree = {
  "/proc/loadavg": "0.52 0.58 0.59 1/467 12345\n",
  "/proc/meminfo": "MemTotal:        8000000 kB\nMemFree:          100000 kB\nMemAvailable:    6000000 kB\n",
  "/proc/uptime": "3600.25 7100.10\n",
};

describe("a virtual machine without thermal zone, firmware and Wi-Fi", () => {
  test("lists only what it has", async () => {
    expect(Object.keys((await open(virtualMachine)).channels ?? {})).toEqual([
      "load",
      "memory_used",
      "disk_used",
      "uptime",
    ]);
  });

  test("gives load, memory, disk and uptime", async () => {
    expect(await valuesOn(virtualMachine)).toEqual({
      load: 0.52,
      memory_used: 25,
      disk_used: expect.closeTo(25),
      uptime: 3600.25,
    });
  });
});

describe("a Pi's power supply", () => {
  const PI4 = "/sys/devices/platform/soc/soc:firmware/get_throttled";
  const PI5 = "/sys/devices/platform/soc@107c000000/soc@107c000000:firmware/get_throttled";

  test.each([
    [PI4, "0", [false, false, false, false]],
    [PI4, "1", [true, false, false, false]],
    [PI4, "50005", [true, true, true, true]],
    [PI4, "50000", [false, false, true, true]],
    [PI5, "80008", [false, true, false, true]],
    [PI5, "0x10000", [false, false, true, false]],
  ])("%s = %s", async (path, flags, expected) => {
    const values = await valuesOn({ [path]: `${flags}\n` });
    const keys = ["under_voltage", "throttled", "under_voltage_since_boot", "throttled_since_boot"];
    expect(keys.map((key) => values[key])).toEqual(expected);
  });

  test("that was short of voltage between two readings was so since boot, though the kernel forgets it", async () => {
    const clock = new FakeClock();
    const memory = memoryOf();
    let flags = "0";
    const files = new SimulatedFiles({ [PI4]: () => `${flags}\n` });
    const openPi = () => (host as FilesDriver).open(files, { disk: "/" }, { clock, memory });
    const seen = async () => (await (await openPi()).read(never)).values;
    const sensor = await openPi();
    expect((await sensor.read(never)).values).toMatchObject({ under_voltage_since_boot: false });
    flags = "50000";
    await clock.advance(2000);
    flags = "0";
    await clock.advance(60_000);
    const after = { under_voltage: false, under_voltage_since_boot: true, throttled_since_boot: true };
    expect((await sensor.read(never)).values).toMatchObject(after);
    await sensor.close?.();
    expect(await seen()).toMatchObject(after);
    clock.reboot("00000000-0000-4000-8000-000000000002");
    expect(await seen()).toMatchObject({ under_voltage_since_boot: false, throttled_since_boot: false });
  });

  test("is not looked at any more once the device is closed", async () => {
    const clock = new FakeClock();
    const files = new SimulatedFiles({ [PI4]: "0\n" });
    const sensor = await (host as FilesDriver).open(files, { disk: "/" }, { clock, memory: noMemory });
    await clock.advance(5000);
    expect(clock.sleeping).toBe(1);
    await sensor.close?.();
    await clock.advance(0);
    expect(clock.sleeping).toBe(0);
  });
});

describe("the processor's temperature", () => {
  const zone = (index: number, type: string, temp: Tree[string]): Tree => ({
    [`/sys/class/thermal/thermal_zone${index}/type`]: `${type}\n`,
    [`/sys/class/thermal/thermal_zone${index}/temp`]: temp,
  });

  test("comes from the processor's zone, not from the first", async () => {
    const tree = { ...zone(0, "acpitz", "27800\n"), ...zone(1, "x86_pkg_temp", "48300\n") };
    expect(await valuesOn(tree)).toMatchObject({ cpu_temperature: 48.3 });
  });

  test("is not listed where the zone refuses to be read", async () => {
    const refuse = () => {
      throw new GatewayError("FILE_IO", "EAGAIN");
    };
    expect(await valuesOn({ ...virtualMachine, ...zone(0, "cpu-thermal", refuse) })).not.toHaveProperty(
      "cpu_temperature",
    );
  });
});

describe("Wi-Fi", () => {
  const head = "Inter-| sta-|   Quality\n face | tus | link level noise\n";
  const connected = `${head} wlan0: 0000   54.  -56.  -256        0      0      0      0      0        0\n`;

  test("that comes up after the start is listed from the start", async () => {
    let text = head;
    const sensor = await open({ "/proc/net/wireless": () => text, "/sys/class/net/wlan0/phy80211/name": "phy0" });
    expect(sensor.channels).toHaveProperty("wifi_signal");
    expect((await sensor.read(never)).values).not.toHaveProperty("wifi_signal");
    text = connected;
    expect((await sensor.read(never)).values).toMatchObject({ wifi_signal: -56 });
  });

  test("is not listed on a machine that only has a cable", async () => {
    expect((await open({ "/proc/net/wireless": head, "/sys/class/net/eth0/mtu": "1500" })).channels).not.toHaveProperty(
      "wifi_signal",
    );
  });
});

test("a disk path that does not exist is NOT_FOUND: a mistake in the configuration", async () => {
  await expect(open(virtualMachine, "/mnt/usb")).rejects.toMatchObject({ code: "NOT_FOUND" });
});

test("the board and its serial number come from the device tree, without their NULs", async () => {
  const tree = {
    "/proc/device-tree/model": "Raspberry Pi 5 Model B Rev 1.0\0",
    "/proc/device-tree/serial-number": "abcd\0",
  };
  expect(await open(tree)).toMatchObject({ model: "Raspberry Pi 5 Model B Rev 1.0", serial: "abcd" });
});

test("a file that holds nonsense keeps no other channel away, at opening or later", async () => {
  const throttled = "/sys/devices/platform/soc/soc:firmware/get_throttled";
  const tree = {
    ...virtualMachine,
    "/sys/class/thermal/thermal_zone0/type": "cpu-thermal",
    "/sys/class/thermal/thermal_zone0/temp": "",
    [throttled]: "x".repeat(10_000),
  };
  expect(await valuesOn(tree)).toEqual(await valuesOn(virtualMachine));
});
