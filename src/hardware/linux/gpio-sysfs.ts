import type { Clock } from "../../core/clock.ts";
import { GatewayError, isGatewayError } from "../../core/errors.ts";
import type { Level } from "../gpio.ts";
import { systemFault } from "./errno.ts";
import type { LinuxFiles } from "./files.ts";
import { untilWritable } from "./writable.ts";

export const GPIO_ROOT = "/sys/class/gpio";

/** The chips whose lines are the BCM numbers: Pi 0 to 3, Pi 4, Pi 5. Numbers of chips and their bases move between kernels. */
export const HEADER_LABELS: readonly string[] = ["pinctrl-bcm2835", "pinctrl-bcm2711", "pinctrl-rp1"];

export interface GpioChip {
  readonly label: string;
  /** sysfs number of line 0. */
  readonly base: number;
  readonly lines: number;
}

/** The header's chip. Throws PIN_MISSING with the labels that are there instead. */
export async function findHeaderChip(files: LinuxFiles): Promise<GpioChip> {
  const names = (await files.list(GPIO_ROOT)).filter((name) => name.startsWith("gpiochip"));
  const chips = await Promise.all(names.map((name) => readChip(files, `${GPIO_ROOT}/${name}`)));
  const found = chips.find(({ label }) => HEADER_LABELS.includes(label));
  if (found) return found;
  const labels = chips.map(({ label }) => label).join(", ") || "none";
  throw new GatewayError(
    "PIN_MISSING",
    `no GPIO chip ${HEADER_LABELS.join(" or ")} in ${GPIO_ROOT} (found: ${labels})`,
  );
}

async function readChip(files: LinuxFiles, path: string): Promise<GpioChip> {
  const [label, base, lines] = await Promise.all(
    ["label", "base", "ngpio"].map((name) => files.read(`${path}/${name}`)),
  );
  return { label: label ?? "", base: Number(base), lines: Number(lines) };
}

/** `/sys/class/gpio/gpio529` */
export function pinPath(number: number): string {
  return `${GPIO_ROOT}/gpio${number}`;
}

/**
 * Exports a line and resolves when this process may use it as an input. A line that sysfs has already exported (by us
 * before a crash, or by a script) is taken over, unless it is an output: somebody switches something with it.
 * Throws PIN_BUSY, PIN_MISSING, ACCESS_DENIED, FILE_IO.
 */
export async function exportInput(
  files: LinuxFiles,
  clock: Pick<Clock, "monoMs" | "sleep">,
  number: number,
  pin: number,
): Promise<void> {
  if (await isExported(files, number)) {
    await refuseOutput(files, number, pin);
    return await waitUntilReady(files, clock, number, pin);
  }
  await writeExport(files, number, pin);
  try {
    await waitUntilReady(files, clock, number, pin);
  } catch (error) {
    await unexport(files, number);
    throw error;
  }
}

/**
 * Exports a line, or takes over one that is exported (we drove it before a crash), and drives it. `high` and `low` set the
 * level together with the direction (Documentation/ABI/obsolete/sysfs-gpio): there is no moment at another one.
 */
export async function exportOutput(
  files: LinuxFiles,
  clock: Pick<Clock, "monoMs" | "sleep">,
  line: { readonly number: number; readonly pin: number; readonly initial: Level },
): Promise<void> {
  const { number, pin, initial } = line;
  if (!(await isExported(files, number))) await writeExport(files, number, pin);
  await waitUntilReady(files, clock, number, pin);
  // Inverted by whoever had it before, `high` would drive it low.
  if ((await files.read(`${pinPath(number)}/active_low`)) !== "0") {
    await files.write(`${pinPath(number)}/active_low`, "0");
  }
  await files.write(`${pinPath(number)}/direction`, initial === 1 ? "high" : "low");
}

/** Takes an input's export back, whoever made it. PIN_BUSY for an output: somebody switches something with it. */
export async function unexportInput(files: LinuxFiles, number: number, pin: number): Promise<void> {
  if (!(await isExported(files, number))) return;
  await refuseOutput(files, number, pin);
  await unexport(files, number);
}

/** Gives a line back. It may be gone already. */
export async function unexport(files: LinuxFiles, number: number): Promise<void> {
  await files.write(`${GPIO_ROOT}/unexport`, String(number)).catch(() => undefined);
}

async function isExported(files: LinuxFiles, number: number): Promise<boolean> {
  return (await files.list(pinPath(number))).length > 0;
}

async function refuseOutput(files: LinuxFiles, number: number, pin: number): Promise<void> {
  const direction = await files.read(`${pinPath(number)}/direction`).catch(() => "unknown");
  if (direction === "out") {
    throw new GatewayError("PIN_BUSY", `pin ${pin} (${pinPath(number)}) is exported as an output by another program`);
  }
}

/** EBUSY: exported meanwhile, or held through the character device or by a kernel driver. EINVAL: no such line. */
async function writeExport(files: LinuxFiles, number: number, pin: number): Promise<void> {
  try {
    await files.write(`${GPIO_ROOT}/export`, String(number));
  } catch (error) {
    const { name } = systemFault(error instanceof GatewayError ? error.cause : error);
    if (name === "EBUSY" && (await isExported(files, number))) return;
    if (name === "EBUSY") throw new GatewayError("PIN_BUSY", `pin ${pin} is held by another program`, { cause: error });
    if (name === "EINVAL") throw new GatewayError("PIN_MISSING", `the kernel has no pin ${pin}`, { cause: error });
    throw error;
  }
}

async function waitUntilReady(
  files: LinuxFiles,
  clock: Pick<Clock, "monoMs" | "sleep">,
  number: number,
  pin: number,
): Promise<void> {
  const needed = ["direction", "edge", "active_low", "value"].map((name) => `${pinPath(number)}/${name}`);
  await untilWritable(files, clock, needed, `pin ${pin}`);
}

/** Turns any fault of a pin into one of the port's. */
export function pinFault(pin: number, cause: unknown): GatewayError {
  if (isGatewayError(cause, "PIN_BUSY", "PIN_MISSING", "ACCESS_DENIED", "FILE_IO", "TOOL_MISSING", "CANCELLED"))
    return cause;
  const what = isGatewayError(cause) ? cause.message : systemFault(cause).name;
  const code = what === "EACCES" || what === "EPERM" ? "ACCESS_DENIED" : "FILE_IO";
  return new GatewayError(code, `pin ${pin} failed (${what})`, { cause });
}
