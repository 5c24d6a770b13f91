/** A channel's value: a number in the channel's unit, the state of a binary input, or a text. */
export type Value = number | boolean | string;

/** Channel key -> value. A channel that had no data is absent; there is no null and no NaN. */
export type Values = Readonly<Record<string, Value>>;

/** How far a value can be trusted; `good` goes without saying and is not stored. */
export type Quality = "good" | "warming" | "estimated" | "saturated";

/** What a driver returns: one look at one device. */
export interface Sample {
  readonly values: Values;
  /** Only the channels that are not `good`. */
  readonly quality?: Readonly<Record<string, Quality>>;
}

/** When something happened: which boot, and the milliseconds since it began. Wall time is derived when it is sent. */
export interface Stamp {
  readonly boot: string;
  readonly monoMs: number;
}

/** One sample of one device after processing: all its channels, one `seq`, one count. */
export interface Reading extends Sample {
  readonly kind: "reading";
  readonly device: string;
  readonly at: Stamp;
}

/** What the outbox holds. The kind is there from the first schema so that events and bridged messages can join. */
export type OutboxRecord = Reading;

/** A record that the store has taken: `seq` runs 1, 2, 3 … within its `epoch`, without a gap and never reused. */
export interface StoredRecord {
  /** The store's own order, over all epochs; never on the wire. */
  readonly position: number;
  readonly epoch: number;
  readonly seq: number;
  readonly record: OutboxRecord;
}
