import type { DeviceNow } from "../core/board.ts";
import type { Clock, SyncState } from "../core/clock.ts";
import { consumersShown } from "../core/consumers.ts";
import type { DeviceState } from "../core/device.ts";
import type { BrokerFacts, Counters, GatewayInfo } from "../core/gateway.ts";
import type { Value } from "../core/reading.ts";

/** What `fieldpost status` shows and prints as JSON. Keys are as in the MQTT payloads. */
export interface StatusReport {
  readonly gateway: { readonly id: string; readonly name: string; readonly version: string; readonly host: string };
  readonly uptime_s: number;
  readonly clock: SyncState;
  readonly broker: BrokerStatus;
  readonly counters: Counters;
  readonly buffer: { readonly bytes: number; readonly oldest_pending_s?: number };
  /** Of each consumer that sends receipts. */
  readonly consumers?: Readonly<Record<string, ConsumerStatus>>;
  readonly receipts_ignored?: Readonly<Record<string, number>>;
  /** What this process writes to the disk. */
  readonly wear?: { readonly mb_per_day: number };
  readonly devices: readonly DeviceStatus[];
  /** Everything that is not well; empty means exit code 0. */
  readonly faults: readonly Fault[];
}

export interface BrokerStatus {
  readonly kind: "bundled" | "external";
  /** Without credentials. */
  readonly address: string;
  readonly connected: boolean;
  readonly protocol?: string;
  readonly error?: string;
  /** Of the broker in this process, which may run beside an external one. */
  readonly bundled?: BrokerFacts;
  /** Absent where there is to be one only. */
  readonly connections?: { readonly connected: number; readonly wanted: number };
}

/** As in `health`: since it was named. */
export interface ConsumerStatus {
  readonly delivered: number;
  readonly pending: number;
  readonly dropped_total: number;
}

export interface DeviceStatus {
  readonly id: string;
  readonly name: string;
  readonly driver: string;
  readonly state: DeviceState;
  readonly online: boolean;
  readonly reason?: string;
  readonly reads: number;
  readonly errors: number;
  /** Age of the newest value, seconds; absent when there is none of this boot. */
  readonly age_s?: number;
  readonly values: Readonly<Record<string, { readonly value: Value; readonly unit?: string }>>;
  /** Those that can be changed while it runs. */
  readonly offsets?: Readonly<Record<string, number>>;
}

export interface Fault {
  /** `uplink`, `store`, `broker` (the bundled one), or the device's id. */
  readonly part: string;
  readonly code: string;
  readonly message: string;
}

export interface StatusParts {
  readonly gateway: GatewayInfo;
  readonly startedMonoMs: number;
  readonly broker: BrokerStatus;
  readonly counters: Counters;
  readonly consumers: Readonly<Record<string, Counters>>;
  readonly ignoredReceipts: Readonly<Record<string, number>>;
  readonly usage: {
    readonly bytes: number;
    readonly oldestPendingMs?: number;
    readonly wear?: { readonly ownBytesPerDay: number };
  };
  readonly devices: readonly DeviceNow[];
  /** Faults of the parts; those of the devices are found here. */
  readonly faults: readonly Fault[];
  readonly clock: Pick<Clock, "monoMs" | "bootId" | "syncState">;
}

export function statusReport(parts: StatusParts): StatusReport {
  const { gateway, broker, counters, usage, clock } = parts;
  const devices = parts.devices.map((device) => deviceStatus(device, clock));
  const oldest = usage.oldestPendingMs;
  return {
    gateway: { id: gateway.id, name: gateway.name, version: gateway.version, host: gateway.host },
    uptime_s: seconds(clock.monoMs() - parts.startedMonoMs),
    clock: clock.syncState(),
    broker,
    counters,
    buffer: { bytes: usage.bytes, ...(oldest !== undefined && { oldest_pending_s: seconds(oldest) }) },
    ...consumersShown(parts),
    ...(usage.wear && { wear: { mb_per_day: Math.round(usage.wear.ownBytesPerDay / 1e5) / 10 } }),
    devices,
    faults: [...linkFaults(parts), ...parts.faults, ...parts.devices.flatMap(deviceFaults)],
  };
}

function deviceStatus({ info, health, newest }: DeviceNow, clock: StatusParts["clock"]): DeviceStatus {
  const stamps = [...newest.values()].filter(({ at }) => at.boot === clock.bootId()).map(({ at }) => at.monoMs);
  const units = new Map(info.channels.map((channel) => [channel.key, channel.unit]));
  const values = [...newest].map(([key, { value }]) => {
    const unit = units.get(key);
    return [key, { value, ...(unit !== undefined && { unit }) }] as const;
  });
  const offsets = info.channels.flatMap(({ key, offset }) => (offset ? [[key, offset.value] as const] : []));
  return {
    id: info.id,
    name: info.name,
    driver: info.driver,
    state: health.state,
    online: health.online,
    ...(health.reason !== undefined && { reason: health.reason }),
    reads: health.reads,
    errors: health.errors,
    ...(stamps.length > 0 && { age_s: seconds(clock.monoMs() - Math.max(...stamps)) }),
    values: Object.fromEntries(values),
    ...(offsets.length > 0 && { offsets: Object.fromEntries(offsets) }),
  };
}

/** A link that is down is a fault, also while nobody has tried it yet. */
function linkFaults({ broker, faults }: StatusParts): Fault[] {
  if (broker.connected || faults.some(({ part }) => part === "uplink")) return [];
  return [
    { part: "uplink", code: "BROKER_UNREACHABLE", message: broker.error ?? `no connection to ${broker.address}` },
  ];
}

function deviceFaults({ info, health }: DeviceNow): Fault[] {
  const partial = (health.faults ?? []).map(({ code, message }) => ({ part: info.id, code, message }));
  if (health.state === "ok" || health.state === "starting") return partial;
  const whole = { part: info.id, code: health.code ?? "INTERNAL", message: health.reason ?? `is ${health.state}` };
  return [whole, ...partial];
}

const seconds = (ms: number): number => Math.round(ms / 100) / 10;
