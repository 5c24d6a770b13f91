import type { Clock } from "../../core/clock.ts";
import { GATEWAY } from "../../core/device.ts";
import { isGatewayError } from "../../core/errors.ts";
import type { Log } from "../../core/log.ts";
import type { Store } from "../../store/store.ts";
import { devicesWith, smallKey } from "../small-values.ts";
import type { Decommissions } from "./decommissions.ts";

export interface RemovedParts {
  readonly clock: Clock;
  readonly log: Log;
  readonly store: Pick<Store, "devices" | "getMeta" | "ledger" | "metaKeys" | "setMeta" | "tombstones">;
  readonly decommissions: Pick<Decommissions, "request">;
  /** Infinite: never. */
  readonly graceMs: number;
  isConfigured(device: string): boolean;
}

/** How long a device has been out of the configuration, in time that this gateway was running. */
interface Absence {
  readonly elapsedMs: number;
  readonly boot: string;
  readonly monoMs: number;
}

const SOONEST_MS = 1000;
const LATEST_MS = 60_000;

/**
 * Decommissions devices that left the configuration once the grace is over; putting one back cancels that. The time is
 * counted by the monotonic clock, boot by boot: a clock that jumps ends nothing too early.
 */
export async function endRemovedDevices(parts: RemovedParts, signal: AbortSignal): Promise<void> {
  const { clock, graceMs } = parts;
  if (!Number.isFinite(graceMs)) return;
  const periodMs = Math.min(LATEST_MS, Math.max(SOONEST_MS, graceMs / 10));
  while (!signal.aborted) {
    await look(parts);
    await clock.sleep(periodMs, signal).catch(() => undefined);
  }
}

async function look(parts: RemovedParts): Promise<void> {
  const { store, isConfigured } = parts;
  const entries = await store.ledger.topics("all");
  const shown = entries.flatMap(({ device }) => (device === undefined ? [] : [device]));
  const known = new Set([...shown, ...devicesWith(store.metaKeys()), ...store.devices()]);
  for (const device of known) {
    if (store.tombstones().has(device) || store.tombstones().has(GATEWAY)) continue;
    if (isConfigured(device)) cancel(device, parts);
    else if (elapse(device, parts) >= parts.graceMs) await end(device, parts);
  }
}

const keyOf = (device: string) => smallKey("removed", device);

function cancel(device: string, { store }: RemovedParts): void {
  if (store.getMeta(keyOf(device)) !== undefined) store.setMeta(keyOf(device), undefined);
}

function elapse(device: string, { clock, graceMs, log, store }: RemovedParts): number {
  const text = store.getMeta(keyOf(device));
  const last: Absence | undefined = text ? JSON.parse(text) : undefined;
  const now = { boot: clock.bootId(), monoMs: clock.monoMs() };
  const sinceMs = last?.boot === now.boot ? now.monoMs - last.monoMs : 0;
  const elapsedMs = (last?.elapsedMs ?? 0) + sinceMs;
  if (!last && graceMs > 0) {
    log.warn("a device is not in the configuration any more: it is decommissioned after `removed_devices.grace`", {
      device,
      graceMs,
    });
  }
  store.setMeta(keyOf(device), JSON.stringify({ elapsedMs, ...now } satisfies Absence));
  return elapsedMs;
}

/** What the broker keeps from being done is done at the next connection, for the tombstone stands. */
async function end(device: string, { decommissions, log }: RemovedParts): Promise<void> {
  try {
    const { outcome } = await decommissions.request(device, { dryRun: false, discard: false });
    log.info("a device that left the configuration is decommissioned", { device, outcome });
  } catch (error) {
    if (!isGatewayError(error)) throw error;
    log.warn("a device that left the configuration could not be decommissioned", { device, reason: error.message });
  }
}
