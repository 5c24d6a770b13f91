import type { Clock } from "../core/clock.ts";
import { isGatewayError } from "../core/errors.ts";
import type { Value } from "../core/reading.ts";
import type { Sensor } from "../drivers/driver.ts";
import { host } from "../drivers/host.ts";
import type { KernelFiles } from "../hardware/files.ts";
import { noMemory } from "./driver-memory.ts";

export type Vitals = Readonly<Record<string, Value>>;

/** Often enough for a diagnostic that is told once a minute. */
const PERIOD_MS = 60_000;
/** What the gateway says of its own machine, where nobody configured the `host` device. */
const SHOWN = ["cpu_temperature", "throttled", "wifi_signal"];

/** Hands on, once a minute until the signal, how the machine is; nothing of what it does not have. */
export async function watchVitals(
  files: KernelFiles,
  clock: Clock,
  take: (vitals: Vitals) => void,
  signal: AbortSignal,
): Promise<void> {
  const options = { disk: "/" };
  const machine = await host.open(files, options, { clock, memory: noMemory });
  try {
    while (!signal.aborted) {
      take(await shown(machine, signal));
      await clock.sleep(PERIOD_MS, signal).catch(() => undefined);
    }
  } finally {
    await machine.close?.();
  }
}

/** A diagnostic that cannot be had is left out. */
async function shown(machine: Sensor, signal: AbortSignal): Promise<Vitals> {
  try {
    const { values } = await machine.read(signal);
    return Object.fromEntries(Object.entries(values).filter(([key]) => SHOWN.includes(key)));
  } catch (error) {
    if (!isGatewayError(error) && !signal.aborted) throw error;
    return {};
  }
}
