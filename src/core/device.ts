import type { QuantityName } from "./quantity.ts";

/** Device ids are chosen once, live in topics and entity ids, and never change with the name. */
export const DEVICE_ID_PATTERN = /^[a-z0-9_-]{1,64}$/;

/** Stands for the gateway itself where a device's id could stand. */
export const GATEWAY = "gateway";

/** Words that stand where a device id could stand in a topic (design: Topics). */
export const RESERVED_DEVICE_IDS: ReadonlySet<string> = new Set([
  GATEWAY,
  "status",
  "info",
  "health",
  "gaps",
  "request",
  "response",
  "ack",
]);

/** One value that a device gives, as everybody after the driver sees it. */
export interface Channel {
  readonly key: string;
  /** Name for people, without the device's name. */
  readonly title: string;
  readonly quantity: QuantityName;
  /** In Home Assistant's spelling; absent for unitless values. */
  readonly unit?: string;
  readonly decimals: number;
  /** What the chip can measure; a value outside is a fault, never a number. */
  readonly min?: number;
  readonly max?: number;
  /** Overrides the quantity's Home Assistant device class (a contact that is a `door`). */
  readonly deviceClass?: string;
  /** Shown under diagnostics in Home Assistant. */
  readonly diagnostic?: true;
  /** It takes commands on `<dev>/<channel>/set`. */
  readonly settable?: Settable;
  /** Its calibration, where that can be changed while it runs. */
  readonly offset?: Offset;
  /** What its entity in Home Assistant goes on from. */
  readonly entity?: FormerEntity;
  /** It has no values: these happen, and are told on `<dev>/<channel>/event`. */
  readonly eventTypes?: readonly string[];
}

/** What is added to a channel's value, in the unit of the place where that is done, and how far it may go either way. */
export interface Offset {
  readonly value: number;
  readonly limit: number;
  readonly unit?: string;
  readonly decimals: number;
}

/** An entity that Home Assistant had of it before us, or under another identity of ours. */
export interface FormerEntity {
  readonly uniqueId: string;
  /** The discovery topic of its own on which it was announced. */
  readonly migrateFrom?: string;
}

/** A `switch` and a `level` are outputs, which opening drives; a `meter` is set to what it shows. */
export type Settable = "switch" | "level" | "meter";

/** A device as it is configured and, once opened, as it turned out to be. */
export interface DeviceInfo {
  readonly id: string;
  readonly name: string;
  readonly driver: string;
  readonly manufacturer?: string;
  readonly model?: string;
  readonly serial?: string;
  readonly area?: string;
  readonly intervalMs: number;
  readonly channels: readonly Channel[];
  /** Where it differs from the gateway's. */
  readonly qos?: { readonly state: Qos; readonly readings: Qos };
}

export type Qos = 0 | 1 | 2;

/** `starting` until the first answer, `absent` when nothing (or something else) answers, `failing` when it answers badly. */
export type DeviceState = "starting" | "ok" | "failing" | "absent";

/** What is wrong with a device that gives values all the same: one of its channels, or how it answers. */
export interface PartialFault {
  readonly code: string;
  readonly message: string;
  readonly channel?: string | undefined;
}

export interface DeviceHealth {
  readonly state: DeviceState;
  /** Why it is not ok: the error's code and sentence. */
  readonly code?: string;
  readonly reason?: string;
  /** Monotonic time of the last change of `state`. */
  readonly sinceMonoMs: number;
  /** What Home Assistant is told: a short hiccup is `failing` and still online. */
  readonly online: boolean;
  readonly reads: number;
  readonly errors: number;
  /** Whatever its state is. */
  readonly faults?: readonly PartialFault[];
  /** Channels whose values are withheld as wrong, and since when on the monotonic clock. */
  readonly withheld?: ReadonlyMap<string, number>;
}
