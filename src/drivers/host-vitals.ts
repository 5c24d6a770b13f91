import { isGatewayError } from "../core/errors.ts";
import type { Value } from "../core/reading.ts";
import type { KernelFiles } from "../hardware/files.ts";
import type { FirmwareFlags } from "./firmware-flags.ts";
import { readIfThere, readNumber } from "./kernel-files.ts";

/** Where this machine shows what it has. */
export interface Machine {
  readonly files: KernelFiles;
  /** A path on the file system to watch. */
  readonly disk: string;
  readonly temperature: string | undefined;
  readonly firmware: FirmwareFlags | undefined;
  readonly wireless: boolean;
}

/** Looks at one thing; `undefined` where this machine does not have it. */
export type Vital = (machine: Machine) => Promise<Value | undefined>;

const THERMAL = "/sys/class/thermal";
const PLATFORM = "/sys/devices/platform";
const WIRELESS = "/proc/net/wireless";
const PROCESSOR_ZONE = /cpu|soc|pkg|core/i;

/** The thermal zone of the processor, else the first; none in most virtual machines. */
export async function cpuTemperatureFile(files: KernelFiles): Promise<string | undefined> {
  const zones = (await files.list(THERMAL)).filter((name) => name.startsWith("thermal_zone"));
  for (const zone of zones) {
    const type = await readIfThere(files, `${THERMAL}/${zone}/type`);
    if (type !== undefined && PROCESSOR_ZONE.test(type)) return `${THERMAL}/${zone}/temp`;
  }
  return zones[0] && `${THERMAL}/${zones[0]}/temp`;
}

/** Zones of virtual machines and of sleeping devices refuse to be read: then there is no temperature. */
export async function cpuTemperature({ files, temperature }: Machine): Promise<Value | undefined> {
  if (temperature === undefined) return undefined;
  try {
    return (await readNumber(files, temperature)) / 1000;
  } catch (error) {
    if (isGatewayError(error, "FILE_IO", "NOT_FOUND", "ACCESS_DENIED")) return undefined;
    throw error;
  }
}

/** `soc/soc:firmware` up to the Pi 4, `soc@107c000000/soc@107c000000:firmware` on the Pi 5. */
export async function throttledFile(files: KernelFiles): Promise<string | undefined> {
  for (const soc of (await files.list(PLATFORM)).filter((name) => name.startsWith("soc"))) {
    const path = `${PLATFORM}/${soc}/${soc}:firmware/get_throttled`;
    if ((await readIfThere(files, path)) !== undefined) return path;
  }
  return undefined;
}

export function firmwareFlag(bits: number, when: "now" | "since boot"): Vital {
  return async ({ firmware }) => {
    const flags = await (when === "now" ? firmware?.now() : firmware?.sinceBoot());
    return flags === undefined ? undefined : (flags & bits) !== 0;
  };
}

/** The kernel's average over one minute of tasks that run or wait for the disk. */
export async function loadAverage({ files }: Machine): Promise<Value | undefined> {
  return numberIn(await readIfThere(files, "/proc/loadavg"), /^([\d.]+)/);
}

export async function uptimeSeconds({ files }: Machine): Promise<Value | undefined> {
  return numberIn(await readIfThere(files, "/proc/uptime"), /^([\d.]+)/);
}

/** What programs could not get any more, in per cent. */
export async function memoryUsed({ files }: Machine): Promise<Value | undefined> {
  const text = await readIfThere(files, "/proc/meminfo");
  const total = numberIn(text, /^MemTotal:\s+(\d+) kB/m);
  const available = numberIn(text, /^MemAvailable:\s+(\d+) kB/m);
  return total && available !== undefined ? (100 * (total - available)) / total : undefined;
}

/** In per cent. Throws NOT_FOUND where the configured path does not exist. */
export async function diskUsed({ files, disk }: Machine): Promise<Value | undefined> {
  const { totalBytes, freeBytes } = await files.space(disk);
  return totalBytes > 0 ? (100 * (totalBytes - freeBytes)) / totalBytes : undefined;
}

/** Is there a wireless interface, connected or not, and does this kernel show its level? */
export async function hasWireless(files: KernelFiles): Promise<boolean> {
  if ((await readIfThere(files, WIRELESS)) === undefined) return false;
  const interfaces = await files.list("/sys/class/net");
  const wireless = await Promise.all(interfaces.map((name) => files.list(`/sys/class/net/${name}/wireless`)));
  const phys = await Promise.all(interfaces.map((name) => files.list(`/sys/class/net/${name}/phy80211`)));
  return [...wireless, ...phys].some((names) => names.length > 0);
}

/** The level of the first wireless interface, in dBm: the fourth column of /proc/net/wireless, which newer kernels may lack. */
export async function wifiSignal({ files }: Machine): Promise<Value | undefined> {
  return numberIn(await readIfThere(files, WIRELESS), /^\s*[^\s:]+:\s+\S+\s+\S+\s+(-\d+)/m);
}

function numberIn(text: string | undefined, pattern: RegExp): number | undefined {
  const [, digits] = pattern.exec(text ?? "") ?? [];
  return digits === undefined ? undefined : Number(digits);
}
