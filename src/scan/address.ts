import { isGatewayError } from "../core/errors.ts";
import type { DriverContext, I2cDriver, Identity } from "../drivers/driver.ts";
import type { KernelFiles } from "../hardware/files.ts";
import { type I2cBus, type I2cDevice, i2cDevice } from "../hardware/i2c.ts";

export const I2C_DEVICES = "/sys/bus/i2c/devices";
const MULTIPLEXERS: readonly number[] = [0x70, 0x71, 0x72, 0x73, 0x74, 0x75, 0x76, 0x77];

/** What is at one address of a bus. */
export type I2cFinding = { readonly bus: string; readonly address: number } & (
  | ({ readonly kind: "chip"; readonly driver: I2cDriver } & Identity)
  /** Something answers that no driver recognises; these could be it, as they cannot tell. */
  | { readonly kind: "unknown"; readonly candidates: readonly I2cDriver[] }
  /** It reads as an I/O expander does, whose outputs every byte written would drive: it was not asked anything. */
  | { readonly kind: "expander"; readonly candidates: readonly I2cDriver[] }
  /** A TCA9548A: the chips behind it have buses of their own. */
  | { readonly kind: "multiplexer" }
  /** A driver of the kernel has it: its channels are under IIO or hwmon. */
  | { readonly kind: "kernel"; readonly name: string }
);

export interface LookOptions {
  readonly context: DriverContext;
  /** Addresses to ask also where a PCF8574 may be. */
  readonly ask?: ReadonlySet<number>;
}

/** Who is at this address of the bus, among those that could be; undefined where nobody answers. */
export async function lookAt(
  files: KernelFiles,
  bus: I2cBus,
  address: number,
  candidates: readonly I2cDriver[],
  { context, ask }: LookOptions,
): Promise<I2cFinding | undefined> {
  const where = { bus: bus.name, address };
  const owner = await kernelDriver(files, bus.name, address);
  if (owner !== undefined) return { ...where, kind: "kernel", name: owner };
  const chip = i2cDevice(bus, address);
  const unasked = await readUnasked(chip);
  if (unasked && readsAsExpander(address, unasked) && !ask?.has(address)) {
    return { ...where, kind: "expander", candidates };
  }
  if (unasked && (await isMultiplexer(chip, unasked))) return { ...where, kind: "multiplexer" };
  const guesses: I2cDriver[] = [];
  let answered = unasked !== undefined;
  for (const driver of candidates) {
    const identity = await identityOf(driver, chip, context);
    if (typeof identity === "object" && !driver.weakIdentity) return { ...where, kind: "chip", driver, ...identity };
    if (typeof identity === "object") guesses.push(driver);
    answered ||= identity !== "nobody";
  }
  if (!answered) return undefined;
  const silent = candidates.filter(({ identify }) => !identify);
  return { ...where, kind: "unknown", candidates: [...guesses, ...silent] };
}

/**
 * What it says without being asked; undefined where nothing answers. It comes first: what the identities of others
 * write leaves a chip's pointer anywhere.
 */
async function readUnasked(chip: I2cDevice): Promise<Uint8Array | undefined> {
  try {
    return await chip.read(4);
  } catch (error) {
    if (isGatewayError(error, "BUS_NACK", "BUS_IO", "BUS_BUSY", "CHIP_ABSENT")) return undefined;
    throw error;
  }
}

/** A PCF8574 (0x20 to 0x27) or PCF8574A (0x38 to 0x3f) gives the state of its pins in every byte (TI SCPS068, §8.3.2). */
function readsAsExpander(address: number, bytes: Uint8Array): boolean {
  const isInRange = [0x20, 0x38].includes(address & ~7);
  return isInRange && bytes.every((byte) => byte === bytes[0]);
}

/**
 * Does a byte that is written come back, as the only register of a TCA9548A does (SCPS207G, §8.6)? It is asked before
 * anybody else is, as every byte written connects channels; those that were connected are again.
 */
async function isMultiplexer(chip: I2cDevice, [before = 0, ...rest]: Uint8Array): Promise<boolean> {
  if (!MULTIPLEXERS.includes(chip.address) || rest.some((byte) => byte !== before)) return false;
  try {
    for (const channels of [1, 2]) {
      await chip.write([channels]);
      const answer = await chip.read(2);
      if (answer.some((byte) => byte !== channels)) return false;
    }
    await chip.write([before]);
    return true;
  } catch (error) {
    if (isGatewayError(error, "BUS_NACK", "BUS_IO", "BUS_BUSY", "CHIP_ABSENT")) return false;
    throw error;
  }
}

/** The chip's identity; `another` where something answers that is not this chip; `nobody` where nothing does. */
async function identityOf(
  driver: I2cDriver,
  chip: I2cDevice,
  context: DriverContext,
): Promise<Identity | "another" | "nobody"> {
  if (!driver.identify) return "nobody";
  try {
    return await driver.identify(chip, context);
  } catch (error) {
    if (isGatewayError(error, "CHIP_MISMATCH", "CHECKSUM", "BAD_VALUE", "NOT_READY")) return "another";
    // Also a chip that does not know the command says nothing.
    if (isGatewayError(error, "BUS_NACK", "CHIP_ABSENT", "BUS_IO", "BUS_BUSY")) return "nobody";
    throw error;
  }
}

/** The name of the chip that a kernel driver is bound to at this address. */
async function kernelDriver(files: KernelFiles, bus: string, address: number): Promise<string | undefined> {
  const node = `${I2C_DEVICES}/${bus.slice("i2c-".length)}-${address.toString(16).padStart(4, "0")}`;
  const entries = await files.list(node);
  return entries.includes("driver") ? (await files.read(`${node}/name`)).trim() : undefined;
}
