import type { Stamp } from "./reading.ts";

/** Something that happens at one moment: a press, a turn. It is news or nothing: told within seconds, and never kept. */
export interface SensorEvent {
  readonly channel: string;
  /** One of the channel's `eventTypes`. */
  readonly type: string;
  /** What more there is to say: `steps` of a turn. */
  readonly details?: Readonly<Record<string, number>>;
}

export interface DeviceEvent extends SensorEvent {
  readonly device: string;
  readonly at: Stamp;
}

/** What became of events since the start. */
export interface EventCounts {
  readonly delivered: number;
  /** Reason -> events. */
  readonly dropped: Readonly<Record<string, number>>;
}
