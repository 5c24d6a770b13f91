import { isGatewayError, messageOf } from "../core/errors.ts";
import type { Driver, I2cDriver } from "../drivers/driver.ts";
import type { KernelFiles } from "../hardware/files.ts";
import type { Hardware } from "../hardware/hardware.ts";
import { I2C_DEVICES, type I2cFinding, type LookOptions, lookAt } from "./address.ts";

export interface BusProblem {
  readonly bus: string;
  readonly code: string;
  readonly message: string;
}

export interface I2cScanOptions extends LookOptions {
  readonly drivers: readonly Driver[];
  /** Addresses to leave alone: somebody is using them. */
  readonly skip: (bus: string, address: number) => boolean;
}

export interface I2cScan {
  readonly buses: readonly string[];
  readonly findings: readonly I2cFinding[];
  readonly problems: readonly BusProblem[];
}

/** The I2C buses that the kernel shows. */
export async function i2cBuses(files: KernelFiles): Promise<string[]> {
  return (await files.list(I2C_DEVICES)).filter((name) => /^i2c-\d+$/.test(name)).sort(byNumber);
}

/** The 7-bit addresses that the specification leaves to chips (NXP UM10204, table 4). */
const ADDRESSES = Array.from({ length: 0x78 - 0x08 }, (_, index) => 0x08 + index);

/**
 * Looks at every address of these I2C buses, and behind the multiplexers on them, one after the other. It only asks for
 * identities: nothing is configured, and what a driver of the kernel has is left alone.
 */
export async function scanI2c(
  hardware: Pick<Hardware, "files" | "i2c">,
  buses: readonly string[],
  options: I2cScanOptions,
): Promise<I2cScan> {
  const findings: I2cFinding[] = [];
  const problems: BusProblem[] = [];
  const scanned: string[] = [];
  const left = [...buses];
  const skipped = (name: string) => ADDRESSES.filter((address) => options.skip(name, address));
  // What answers before a multiplexer answers behind it, too.
  const before = new Map<string, ReadonlySet<number>>();
  for (let name = left.shift(); name !== undefined; name = left.shift()) {
    scanned.push(name);
    const found: I2cFinding[] = [];
    try {
      for await (const finding of scanBus(hardware, name, before.get(name), options)) found.push(finding);
    } catch (error) {
      if (!isGatewayError(error)) throw error;
      problems.push({ bus: name, code: error.code, message: messageOf(error) });
    }
    findings.push(...found);
    const taken = new Set([...(before.get(name) ?? []), ...found.map(({ address }) => address), ...skipped(name)]);
    const behind = found.flatMap((finding) => (finding.kind === "multiplexer" ? channelsOf(finding) : []));
    for (const channel of behind) before.set(channel, taken);
    left.unshift(...behind);
  }
  return { buses: scanned, findings, problems };
}

async function* scanBus(
  hardware: Pick<Hardware, "files" | "i2c">,
  name: string,
  before: ReadonlySet<number> = new Set(),
  { drivers, skip, ...how }: I2cScanOptions,
): AsyncGenerator<I2cFinding> {
  const bus = await hardware.i2c(name);
  const known = drivers.filter((driver): driver is I2cDriver => driver.port === "i2c");
  for (const address of ADDRESSES) {
    if (before.has(address) || skip(name, address)) continue;
    const candidates = known.filter((driver) => driver.addresses.includes(address));
    const found = await lookAt(hardware.files, bus, address, candidates, how);
    if (found) yield found;
  }
}

const channelsOf = ({ bus, address }: I2cFinding): string[] =>
  Array.from({ length: 8 }, (_, channel) => `${bus}/mux@0x${address.toString(16)}/${channel}`);

function byNumber(one: string, other: string): number {
  return Number(one.slice(4)) - Number(other.slice(4));
}
