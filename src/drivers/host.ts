import { z } from "zod";
import { isGatewayError } from "../core/errors.ts";
import type { Value } from "../core/reading.ts";
import type { KernelFiles } from "../hardware/files.ts";
import { type ChannelFacts, type ChannelTable, filesDriver, type Identity } from "./driver.ts";
import { CAPPED_OR_THROTTLED, firmwareFlags, UNDER_VOLTAGE } from "./firmware-flags.ts";
import {
  cpuTemperature,
  cpuTemperatureFile,
  diskUsed,
  firmwareFlag,
  hasWireless,
  loadAverage,
  type Machine,
  memoryUsed,
  throttledFile,
  uptimeSeconds,
  type Vital,
  wifiSignal,
} from "./host-vitals.ts";
import { type KernelChannel, readEach, tableOf } from "./kernel-channels.ts";
import { readIfThere } from "./kernel-files.ts";

const diagnostic = true;
const share = { quantity: "ratio", min: 0, max: 100 } as const;
const problem = { quantity: "problem" } as const;

const channels = {
  cpu_temperature: { quantity: "temperature", title: "CPU temperature", decimals: 1, min: -40, max: 150 },
  load: { quantity: "load", title: "Load (1 min)", min: 0 },
  memory_used: { ...share, title: "Memory used" },
  disk_used: { ...share, title: "Disk used" },
  uptime: { quantity: "duration", title: "Uptime", min: 0, diagnostic },
  under_voltage: { ...problem, title: "Under-voltage" },
  throttled: { ...problem, title: "Throttled" },
  under_voltage_since_boot: { ...problem, title: "Under-voltage since boot", diagnostic },
  throttled_since_boot: { ...problem, title: "Throttled since boot", diagnostic },
  wifi_signal: { quantity: "signal_strength", title: "Wi-Fi signal", min: -120, max: 0, diagnostic },
} as const satisfies ChannelTable;

const vitals: Readonly<Record<keyof typeof channels, Vital>> = {
  cpu_temperature: cpuTemperature,
  load: loadAverage,
  memory_used: memoryUsed,
  disk_used: diskUsed,
  uptime: uptimeSeconds,
  under_voltage: firmwareFlag(UNDER_VOLTAGE, "now"),
  throttled: firmwareFlag(CAPPED_OR_THROTTLED, "now"),
  under_voltage_since_boot: firmwareFlag(UNDER_VOLTAGE, "since boot"),
  throttled_since_boot: firmwareFlag(CAPPED_OR_THROTTLED, "since boot"),
  wifi_signal: wifiSignal,
};

export const host = filesDriver({
  name: "host",
  title: "The machine itself: CPU temperature, load, memory, disk, power supply and Wi-Fi",
  options: {
    disk: z
      .string()
      .startsWith("/", { error: "expected an absolute path, such as / or /mnt/usb" })
      .default("/")
      .describe("Path on the file system whose use is reported"),
  },
  channels,
  timing: { minIntervalMs: 1000, expectedMs: 100, defaultIntervalMs: 60_000 },
  notes:
    "Only what this machine has is listed. The load is the kernel's average of the last minute, to be compared with the " +
    "number of cores. Under-voltage and throttling are what the Pi's firmware tells the kernel, which forgets after two seconds: " +
    "`since boot` means since this device was first read in this boot, and some seconds before.",

  find: async () => [{ title: "This machine", options: {} }],

  async open(files, { disk }, context) {
    const throttled = await throttledFile(files);
    const firmware = throttled === undefined ? undefined : firmwareFlags(files, throttled, context);
    const machine: Machine = {
      files,
      disk,
      temperature: await cpuTemperatureFile(files),
      firmware,
      wireless: await hasWireless(files),
    };
    const found = await channelsOn(machine);
    firmware?.watch();
    return {
      ...(await identityOf(files)),
      channels: tableOf(found),
      read: async () => ({ values: await readEach(found) }),
      close: async () => firmware?.close(),
    };
  },
});

/** Those that have something to say on this machine. The Wi-Fi may come up after we do. */
async function channelsOn(machine: Machine): Promise<KernelChannel[]> {
  const found: KernelChannel[] = [];
  for (const [key, facts] of Object.entries<ChannelFacts>(channels)) {
    const value = () => vitals[key as keyof typeof channels](machine);
    if ((await isThere(value)) || (key === "wifi_signal" && machine.wireless)) found.push({ key, facts, value });
  }
  return found;
}

/** What cannot be read just now, or holds nonsense, is there all the same, and does not keep the others away. */
async function isThere(value: () => Promise<Value | undefined>): Promise<boolean> {
  try {
    return (await value()) !== undefined;
  } catch (error) {
    if (isGatewayError(error, "BAD_VALUE", "FILE_IO")) return true;
    throw error;
  }
}

/** The device tree of a Pi names the board; its texts end with a NUL. */
async function identityOf(files: KernelFiles): Promise<Identity> {
  const text = async (name: string) => (await readIfThere(files, `/proc/device-tree/${name}`))?.replaceAll("\0", "");
  const model = await text("model");
  const serial = await text("serial-number");
  return { ...(model && { model }), ...(serial && { serial }) };
}
