import type { DeviceNow } from "../../core/board.ts";
import type { SyncState } from "../../core/clock.ts";
import { consumersShown } from "../../core/consumers.ts";
import type { DeviceInfo } from "../../core/device.ts";
import type { EventCounts, SensorEvent } from "../../core/event.ts";
import type { BrokerFacts, Counters, GatewayInfo } from "../../core/gateway.ts";
import type { StoredRecord, Value } from "../../core/reading.ts";
import { rounded } from "../../core/rounding.ts";
import type { ResolvedTime } from "../../core/timeline.ts";
import type { StoreUsage } from "../../store/store.ts";
import type { Wear } from "../../store/wear.ts";

/** One fault as `health` shows it. */
export interface Fault {
  readonly code: string;
  readonly message: string;
  readonly device?: string;
  readonly channel?: string | undefined;
}

/** RFC 3339 in UTC with milliseconds; a time that no calendar holds (a clock gone mad) becomes the epoch. */
export function timeText(wallMs: number): string {
  const timeMs = Math.abs(wallMs) <= 8.64e15 ? Math.trunc(wallMs) : 0;
  const second = Math.floor(timeMs / 1000);
  if (second !== shown.second) shown = { second, text: new Date(second * 1000).toISOString().slice(0, -"000Z".length) };
  return `${shown.text}${String(timeMs - second * 1000).padStart(3, "0")}Z`;
}

/** Readings come in the order of time, so most share it with the one before. */
let shown = { second: 0, text: "1970-01-01T00:00:00." };

/** The newest value of each channel, and the time of the newest of them. Undefined while there is no value. */
export function statePayload(now: DeviceNow, timeOf: (at: StoredRecord["record"]["at"]) => ResolvedTime) {
  const times: number[] = [];
  const state: Record<string, Value> = {};
  for (const channel of now.info.channels) {
    const newest = now.newest.get(channel.key);
    if (!newest) continue;
    state[channel.key] = rounded(newest.value, channel);
    times.push(timeOf(newest.at).wallMs);
  }
  if (times.length === 0) return undefined;
  return JSON.stringify({ ...state, time: timeText(Math.max(...times)) });
}

export interface ReadingContext {
  readonly info: DeviceInfo | undefined;
  readonly time: ResolvedTime;
  readonly replay: boolean;
}

/**
 * One reading. `replay` marks what was taken before this connection came up: history, not news. An estimated time comes
 * with the bounds that are known of the true one.
 */
export function readingPayload({ epoch, seq, record }: StoredRecord, { info, time, replay }: ReadingContext): string {
  const values: Record<string, Value> = {};
  for (const [key, value] of Object.entries(record.values)) {
    values[key] = rounded(
      value,
      info?.channels.find((channel) => channel.key === key),
    );
  }
  return JSON.stringify({
    epoch,
    seq,
    time: timeText(time.wallMs),
    clock: time.clock,
    ...(time.earliestMs !== undefined && { earliest: timeText(time.earliestMs) }),
    ...(time.latestMs !== undefined && { latest: timeText(time.latestMs) }),
    values,
    ...(record.quality && { quality: record.quality }),
    replay,
  });
}

export function infoPayload(gateway: GatewayInfo, startedWallMs: number, devices: readonly DeviceInfo[]): string {
  return JSON.stringify({
    ...gateway,
    started: timeText(startedWallMs),
    devices: devices.map(({ id, name, driver }) => ({ id, name, driver })),
  });
}

export function configPayload(info: DeviceInfo): string {
  const { intervalMs, channels, qos: _, ...rest } = info;
  const offsets = channels.flatMap(({ key, offset }) => (offset ? [[key, offset.value] as const] : []));
  return JSON.stringify({
    ...rest,
    interval_s: intervalMs / 1000,
    ...(offsets.length > 0 && { offsets: Object.fromEntries(offsets) }),
    channels: channels.map(({ deviceClass, entity: _entity, eventTypes, offset: _offset, ...channel }) => ({
      ...channel,
      ...(eventTypes && { event_types: eventTypes }),
      ...(deviceClass !== undefined && { device_class: deviceClass }),
    })),
  });
}

/** What Home Assistant's event entity takes; what is beside `event_type` becomes its attributes. */
export function eventPayload({ type, details }: SensorEvent, { wallMs }: ResolvedTime): string {
  return JSON.stringify({ event_type: type, ...details, time: timeText(wallMs) });
}

export interface HealthFacts {
  readonly counters: Counters;
  /** Absent while none has happened. */
  readonly events?: EventCounts;
  readonly buffer: Pick<StoreUsage, "bytes" | "oldestPendingMs" | "wear">;
  readonly clock: SyncState;
  readonly faults: readonly Fault[];
  readonly devices: readonly DeviceNow[];
  /** Of each consumer that sends receipts, since it was named. */
  readonly consumers: Readonly<Record<string, Counters>>;
  /** Receipts that were ignored, by why. */
  readonly ignoredReceipts: Readonly<Record<string, number>>;
  /** Of the broker in this process. */
  readonly broker?: BrokerFacts;
  /** How many topics the ledger says that we have retained at this broker. */
  readonly retained: number;
  readonly gateway: Pick<GatewayInfo, "version" | "starts">;
  /** The newest version that is told of, where somebody looks. */
  readonly latestVersion?: string;
  /** How the machine is, as far as it says. */
  readonly vitals: Readonly<Record<string, Value>>;
  readonly wallMs: number;
}

export function healthPayload(facts: HealthFacts): string {
  const { dropped, ...counters } = facts.counters;
  const droppedTotal = Object.values(dropped).reduce((sum, count) => sum + count, 0);
  return JSON.stringify({
    ...counters,
    dropped,
    dropped_total: droppedTotal,
    buffer: { bytes: facts.buffer.bytes, oldest_s: Math.round((facts.buffer.oldestPendingMs ?? 0) / 1000) },
    ...(facts.events && { events: facts.events }),
    ...consumersShown(facts),
    ...(facts.buffer.wear && { wear: wearText(facts.buffer.wear) }),
    ...(facts.broker && { broker: facts.broker }),
    retained: facts.retained,
    error_rate: errorRate(facts.devices),
    version: facts.gateway.version,
    ...(facts.latestVersion !== undefined && { latest: facts.latestVersion }),
    ...(facts.gateway.starts !== undefined && { starts: facts.gateway.starts }),
    ...(Object.keys(facts.vitals).length > 0 && { host: facts.vitals }),
    clock: facts.clock,
    faults: facts.faults,
    devices: Object.fromEntries(facts.devices.map(({ info, health }) => [info.id, deviceHealth(health)])),
    time: timeText(facts.wallMs),
  });
}

/** Of all reads since the devices were started, in per cent. */
function errorRate(devices: readonly DeviceNow[]): number {
  const sum = (of: "reads" | "errors") => devices.reduce((total, { health }) => total + health[of], 0);
  const reads = sum("reads");
  return reads === 0 ? 0 : Math.round((1000 * sum("errors")) / reads) / 10;
}

function wearText({ ownBytesPerDay, diskBytesPerDay }: Wear) {
  const megabytes = (bytes: number) => Math.round(bytes / 1e5) / 10;
  return {
    mb_per_day: megabytes(ownBytesPerDay),
    ...(diskBytesPerDay !== undefined && { disk_mb_per_day: megabytes(diskBytesPerDay) }),
  };
}

function deviceHealth({ state, online, code, reason, reads, errors }: DeviceNow["health"]) {
  return { state, online, ...(code && { code }), ...(reason && { reason }), reads, errors };
}

/** What makes `health` news before its time: everything but the counters, which always move. */
export function healthSignature({ counters, clock, faults, devices }: HealthFacts): string {
  const states = devices.map(({ info, health }) => [info.id, health.state, health.online, health.code]);
  return JSON.stringify([counters.dropped, clock, faults, states]);
}

/** Devices that are not well, as faults: Home Assistant and people then have one list to look at. */
export function deviceFaults(devices: readonly DeviceNow[]): Fault[] {
  return devices.flatMap(({ info, health }) => {
    const partial = (health.faults ?? []).map((fault) => ({ ...fault, device: info.id }));
    if (health.state !== "failing" && health.state !== "absent") return partial;
    const whole = {
      code: health.code ?? "DEVICE",
      message: health.reason ?? `${info.id} is ${health.state}`,
      device: info.id,
    };
    return [whole, ...partial];
  });
}
