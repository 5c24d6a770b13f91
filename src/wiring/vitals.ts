import type { Clock } from "../core/clock.ts";
import { isGatewayError } from "../core/errors.ts";
import type { Value } from "../core/reading.ts";
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
  signal.addEventListener("abort", () => void machine.close?.(), { once: true });
  while (!signal.aborted) {
    try {
      const { values } = await machine.read(signal);
      take(Object.fromEntries(Object.entries(values).filter(([key]) => SHOWN.includes(key))));
    } catch (error) {
      // A diagnostic that cannot be had is left out.
      if (!isGatewayError(error) && !signal.aborted) throw error;
      take({});
    }
    await clock.sleep(PERIOD_MS, signal).catch(() => undefined);
  }
}
