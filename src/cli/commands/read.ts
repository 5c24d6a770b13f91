import { setTimeout as sleep } from "node:timers/promises";
import { loadConfig } from "../../config/load.ts";
import { GatewayError, messageOf } from "../../core/errors.ts";
import type { Value } from "../../core/reading.ts";
import { channelsOf, configuredChannels, isOutput } from "../../drivers/driver.ts";
import { linuxClock } from "../../hardware/clock.ts";
import type { Hardware } from "../../hardware/hardware.ts";
import { linuxHardware } from "../../hardware/linux/hardware.ts";
import { readWithin } from "../../sampling/attempt.ts";
import { readDeadlineMs } from "../../sampling/schedule.ts";
import { validate } from "../../sampling/validate.ts";
import { DeviceProcessing } from "../../wiring/device-processing.ts";
import { noMemory } from "../../wiring/driver-memory.ts";
import { openDevice } from "../../wiring/open-device.ts";
import type { RosterDevice } from "../../wiring/roster.ts";
import { type Command, EXIT, type ExitCode, type Invocation } from "../command.ts";
import { renderTable } from "../table.ts";

interface DeviceAnswer {
  readonly device: string;
  readonly values?: Readonly<Record<string, Value>>;
  readonly units?: Readonly<Record<string, string>>;
  readonly error?: { readonly code: string; readonly message: string };
}

const WATCH_PERIOD_MS = 2_000;

export const read: Command = {
  name: "read",
  arguments: [{ name: "device", about: "only this device", optional: true }],
  summary: "take one reading of each device, now, without touching the store or the broker",
  options: [{ flags: "--watch", about: "again every two seconds, until Ctrl-C" }],
  printsData: true,
  example: "fieldpost read climate",
  async run(invocation) {
    const { io, options, configFile } = invocation;
    const { config } = await loadConfig(configFile, { missingFiles: "warn", env: io.env });
    const devices = chosen(config.devices, invocation.args[0]).map((device) => ({ device, processing: fresh(device) }));
    await using hardware = linuxHardware(linuxClock());
    for (;;) {
      const answers = await Promise.all(devices.map((one) => readOnce(one, hardware, io.signal)));
      const exitCode = print(invocation, answers);
      if (options.watch !== true || io.signal.aborted) return exitCode;
      await sleep(WATCH_PERIOD_MS, undefined, { signal: io.signal }).catch(() => undefined);
      if (io.signal.aborted) return EXIT.ok;
    }
  },
};

function chosen(devices: readonly RosterDevice[], wanted: string | undefined): RosterDevice[] {
  const output = devices.find((device) => device.id === wanted && isOutput(device.driver, device.options));
  if (output)
    throw new GatewayError("USAGE_INVALID", `${output.id} is an output, which opening would switch: see \`status\``);
  const active = devices.filter(
    ({ driver, enabled, options }) => enabled && driver.port !== "planned" && !isOutput(driver, options),
  );
  const found = wanted === undefined ? active : active.filter(({ id }) => id === wanted);
  if (wanted !== undefined && found.length === 0) {
    const known = active.map(({ id }) => id).join(", ");
    throw new GatewayError("DEVICE_UNKNOWN", `no device "${wanted}" in the configuration: ${known}`);
  }
  return found;
}

/** Remembers nothing of the service's: a mean begins with the first reading. */
function fresh({ id, channels, computed }: RosterDevice): DeviceProcessing {
  const nothing = () => undefined;
  const deps = { kept: { load: nothing, save: nothing, saveNow: nothing }, log: { info: nothing, warn: nothing } };
  return new DeviceProcessing(id, channels, computed, { ...deps, boot: linuxClock().bootId() });
}

interface Looked {
  readonly device: RosterDevice;
  readonly processing: DeviceProcessing;
}

async function readOnce(
  { device, processing }: Looked,
  hardware: Hardware,
  signal: AbortSignal,
): Promise<DeviceAnswer> {
  const clock = linuxClock();
  const { id, driver, options } = device;
  try {
    const sensor = await openDevice(device, hardware, { clock, memory: noMemory });
    try {
      const channels = sensor.channels ? channelsOf(sensor.channels) : configuredChannels(driver, options);
      const deadlineMs = readDeadlineMs(driver.timing);
      const raw = await readWithin((inner) => sensor.read(inner), deadlineMs, { clock, random: Math.random }, signal);
      const { sample, fault } = validate(raw, channels);
      if (fault) throw fault;
      const shown = processing.channels(channels);
      const units = shown.flatMap(({ key, unit }) => (unit === undefined ? [] : [[key, unit] as const]));
      const values = processing.take(sample, channels, clock.monoMs())?.values ?? {};
      return { device: id, values, units: Object.fromEntries(units) };
    } finally {
      await sensor.close?.();
    }
  } catch (error) {
    const code = error instanceof GatewayError ? error.code : "INTERNAL";
    return { device: id, error: { code, message: messageOf(error) } };
  }
}

function print({ io, json }: Invocation, answers: readonly DeviceAnswer[]): ExitCode {
  if (json) for (const answer of answers) io.out(`${JSON.stringify(answer)}\n`);
  else io.out(renderTable(answers.flatMap(rowsOf)));
  return answers.some(({ error }) => error) ? EXIT.unwell : EXIT.ok;
}

function rowsOf({ device, values = {}, units = {}, error }: DeviceAnswer): string[][] {
  if (error) return [[device, "error", `${error.message} (${error.code})`]];
  return Object.entries(values).map(([key, value]) => [device, key, `${value} ${units[key] ?? ""}`]);
}
