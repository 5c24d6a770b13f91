import { GatewayError, isGatewayError } from "../core/errors.ts";
import type { KernelFiles } from "../hardware/files.ts";

/** The text of a file, or `undefined` where there is none (or it cannot be read for good). */
export async function readIfThere(files: KernelFiles, path: string): Promise<string | undefined> {
  try {
    return await files.read(path);
  } catch (error) {
    if (isGatewayError(error, "NOT_FOUND", "ACCESS_DENIED")) return undefined;
    throw error;
  }
}

const MAX_LABEL_LENGTH = 64;

/** One line for people: a channel's label, a device's name. `undefined` where there is none, or nothing in it. */
export async function labelIn(files: KernelFiles, path: string): Promise<string | undefined> {
  const text = (await readIfThere(files, path))?.replaceAll(/\p{Cc}+/gu, " ").trim();
  return text ? text.slice(0, MAX_LABEL_LENGTH) : undefined;
}

/** What a file holds that is not what it should hold, in an error. */
export function excerpt(text: string): string {
  return JSON.stringify(text.slice(0, 40));
}

/** The file's number. BAD_VALUE where it holds anything else: an empty file is not zero. */
export async function readNumber(files: KernelFiles, path: string): Promise<number> {
  const text = (await files.read(path)).trim();
  const value = Number(text);
  if (text === "" || !Number.isFinite(value)) {
    throw new GatewayError("BAD_VALUE", `${path} holds ${excerpt(text)}, which is not a number`);
  }
  return value;
}

/** A device directory of a kernel class. */
export interface KernelDevice {
  /** Where to read: `/sys/class/hwmon/hwmon2`. The number moves between boots; it is looked up at each opening. */
  readonly directory: string;
  /** What the kernel driver calls it: `bme280`, `cpu_thermal`. */
  readonly name: string;
  /** What the device tree calls it. */
  readonly label?: string;
  /** The device behind it, which keeps its place: `1-0076`, `dht11@4`. */
  readonly node: string;
}

/** The devices of a class, by the names of their directories: `hwmon0`, `iio:device0`. */
export async function kernelDevices(files: KernelFiles, classPath: string, entry: RegExp): Promise<KernelDevice[]> {
  const devices: KernelDevice[] = [];
  for (const found of await files.list(classPath)) {
    if (!entry.test(found)) continue;
    const directory = `${classPath}/${found}`;
    const name = await labelIn(files, `${directory}/name`);
    const label = await labelIn(files, `${directory}/label`);
    const node = nodeOf(await files.resolve(directory), entry);
    if (name !== undefined) devices.push({ directory, name, node, ...(label !== undefined && { label }) });
  }
  return devices;
}

/** `/sys/devices/…/i2c-1/1-0048/hwmon/hwmon2` is the device `1-0048`. */
function nodeOf(resolved: string, entry: RegExp): string {
  const parts = resolved.split("/").filter((part) => !entry.test(part) && part !== "hwmon");
  return parts.at(-1) ?? "";
}

/**
 * The one device that is meant: by name, label, node or resolved path, or the only one there is. CHIP_ABSENT where
 * there is none, CONFIG_INVALID where several fit; both name what is there.
 */
export async function selectDevice(
  files: KernelFiles,
  devices: readonly KernelDevice[],
  wanted: string | undefined,
): Promise<KernelDevice> {
  const path = wanted?.startsWith("/") ? await files.resolve(wanted) : undefined;
  const fitting: KernelDevice[] = [];
  for (const device of devices) {
    const names = [device.name, device.label, device.node];
    const fits = wanted === undefined || names.includes(wanted) || (path && (await isBelow(files, device, path)));
    if (fits) fitting.push(device);
  }
  const [only, ...others] = fitting;
  if (only && others.length === 0) return only;
  throw only ? ambiguous(fitting, wanted) : missing(devices, wanted);
}

async function isBelow(files: KernelFiles, device: KernelDevice, path: string): Promise<boolean> {
  return `${await files.resolve(device.directory)}/`.startsWith(`${path}/`);
}

function missing(devices: readonly KernelDevice[], wanted: string | undefined): GatewayError {
  const there = devices.length > 0 ? `there are ${devices.map(inWords).join(", ")}` : "the kernel shows none";
  return new GatewayError("CHIP_ABSENT", wanted === undefined ? there : `no device ${wanted}: ${there}`);
}

function ambiguous(fitting: readonly KernelDevice[], wanted: string | undefined): GatewayError {
  const which = wanted === undefined ? "say which device" : `${wanted} is more than one device`;
  return new GatewayError("CONFIG_INVALID", `${which}: ${fitting.map(inWords).join(", ")}`);
}

function inWords({ name, node }: KernelDevice): string {
  return `${node} (${name})`;
}
