import type { Clock } from "../../core/clock.ts";
import { GatewayError, isGatewayError } from "../../core/errors.ts";
import { type PwmPin, pwmPinName } from "../pwm.ts";
import { systemFault } from "./errno.ts";
import type { LinuxFiles } from "./files.ts";
import { untilWritable } from "./writable.ts";

const PWM_ROOT = "/sys/class/pwm";

/** Which channel of which device has the header's pins: the block of BCM2835 to 2711 at …20c000, and the first of RP1. */
const headerBlocks: readonly { readonly device: RegExp; readonly channels: Readonly<Record<number, number>> }[] = [
  { device: /^[0-9a-f]+20c000\.pwm$/, channels: { 12: 0, 13: 1, 18: 0, 19: 1 } },
  { device: /^1f00098000\.pwm$/, channels: { 12: 0, 13: 1, 18: 2, 19: 3 } },
];
/** For the message: the number of the pin's alternative function, as the overlay wants it. */
const overlayFunction: Readonly<Record<number, number>> = { 12: 4, 13: 4, 18: 2, 19: 2 };

/** A channel in sysfs (Documentation/ABI/testing/sysfs-class-pwm). */
export interface PwmChannel {
  readonly chip: string;
  readonly channel: number;
  /** `/sys/class/pwm/pwmchip0/pwm1` */
  readonly path: string;
}

/** Throws PIN_MISSING with what is there instead: chips are found by their device, since their numbers move. */
export async function findChannel(files: LinuxFiles, pin: PwmPin): Promise<PwmChannel> {
  const names = (await files.list(PWM_ROOT)).filter((name) => name.startsWith("pwmchip"));
  const chips = await Promise.all(names.map(async (name) => ({ name, device: await deviceOf(files, name) })));
  for (const { name, device } of chips) {
    const channel = channelOn(device, pin);
    if (channel === undefined) continue;
    const chip = `${PWM_ROOT}/${name}`;
    const count = Number(await files.read(`${chip}/npwm`));
    if (channel >= count) throw new GatewayError("PIN_MISSING", `${pwmPinName(pin)}: ${device} has ${count} channels`);
    return { chip, channel, path: `${chip}/pwm${channel}` };
  }
  const found = chips.map(({ device }) => device).join(", ") || "none";
  throw new GatewayError("PIN_MISSING", `no PWM for ${pwmPinName(pin)} in ${PWM_ROOT} (found: ${found})${hint(pin)}`);
}

async function deviceOf(files: LinuxFiles, name: string): Promise<string> {
  const path = await files.resolve(`${PWM_ROOT}/${name}/device`).catch(() => name);
  return path.slice(path.lastIndexOf("/") + 1);
}

function channelOn(device: string, pin: PwmPin): number | undefined {
  if (typeof pin !== "number") return pin.chip === device ? pin.channel : undefined;
  return headerBlocks.find((block) => block.device.test(device))?.channels[pin];
}

function hint(pin: PwmPin): string {
  const number = typeof pin === "number" ? overlayFunction[pin] : undefined;
  return number === undefined ? "" : `: put \`dtoverlay=pwm,pin=${pin},func=${number}\` into /boot/firmware/config.txt`;
}

/** Exports the channel, or takes over one that is exported (we drove it before a crash), and waits until it can be used. */
export async function exportChannel(
  files: LinuxFiles,
  clock: Pick<Clock, "monoMs" | "sleep">,
  channel: PwmChannel,
): Promise<void> {
  if (!(await isExported(files, channel))) await writeExport(files, channel);
  const needed = ["period", "duty_cycle", "polarity", "enable"].map((name) => `${channel.path}/${name}`);
  await untilWritable(files, clock, needed, "PWM");
}

async function isExported(files: LinuxFiles, { path }: PwmChannel): Promise<boolean> {
  return (await files.list(path)).length > 0;
}

/** EBUSY: exported meanwhile, or in the hands of a driver of the kernel (a fan, a backlight). */
async function writeExport(files: LinuxFiles, channel: PwmChannel): Promise<void> {
  try {
    await files.write(`${channel.chip}/export`, String(channel.channel));
  } catch (error) {
    const { name } = systemFault(isGatewayError(error) ? error.cause : error);
    if (name !== "EBUSY") throw error;
    if (await isExported(files, channel)) return;
    throw new GatewayError("PIN_BUSY", `${channel.path} is held by a driver of the kernel`, { cause: error });
  }
}

/**
 * Gives the channel its period and its first duty, and turns it on. The kernel takes no duty longer than the period, and a
 * polarity only while the channel is off; one that runs from before never has more than the larger of its two shares.
 */
export async function configureChannel(
  files: LinuxFiles,
  { path }: PwmChannel,
  { periodNs, dutyNs }: { readonly periodNs: number; readonly dutyNs: number },
): Promise<void> {
  const write = (name: string, value: number | string) => files.write(`${path}/${name}`, String(value));
  if ((await files.read(`${path}/polarity`)) === "inversed") {
    await write("enable", 0);
    await write("polarity", "normal");
  }
  const before = Number(await files.read(`${path}/period`));
  if (before === periodNs) await write("duty_cycle", dutyNs);
  else if (periodNs > before) {
    await write("period", periodNs);
    await write("duty_cycle", dutyNs);
  } else {
    await write("duty_cycle", dutyNs);
    await write("period", periodNs);
  }
  if ((await files.read(`${path}/enable`)) !== "1") await write("enable", 1);
}
