const hourMs = 3_600_000;

/** How Home Assistant keeps the statistics of a sensor: by its state class. */
export type SeriesKind = "measurement" | "total" | "total_increasing";

/** One whole hour of a channel. */
export interface Hour {
  /** On the hour, ms since 1970. */
  readonly startMs: number;
  /** Weighted by how long each value lasted, as Home Assistant's own. */
  readonly mean: number;
  readonly min: number;
  readonly max: number;
  /** The last value. */
  readonly state: number;
  /** What a total grew by since the first value of the series. */
  readonly grown: number;
}

/** What was missed of one channel. */
export interface Series {
  readonly device: string;
  readonly channel: string;
  readonly kind: SeriesKind;
  readonly unit?: string;
  /** Where a total stood when the series began. */
  readonly first: number;
  readonly hours: readonly Hour[];
}

export type SeriesOf = Pick<Series, "device" | "channel" | "kind" | "unit">;

/**
 * The hours of an outage, from its readings in order. Only hours that lie in it as a whole count: of the others Home
 * Assistant saw a part of its own, of which we know nothing.
 */
export class MissedHours {
  readonly #beganMs: number;
  readonly #channels = new Map<string, ChannelHours>();

  /** The outage began with a reading of this time, ms since 1970. */
  constructor(beganMs: number) {
    this.#beganMs = beganMs;
  }

  add(of: SeriesOf, atMs: number, value: number): void {
    const key = `${of.device}/${of.channel}`;
    let channel = this.#channels.get(key);
    if (channel === undefined) {
      channel = new ChannelHours(of, value);
      this.#channels.set(key, channel);
    }
    channel.add(atMs, value);
  }

  /** What can be told of it, now that it ended. */
  until(endedMs: number): Series[] {
    const fromMs = Math.ceil(this.#beganMs / hourMs) * hourMs;
    const untilMs = Math.floor(endedMs / hourMs) * hourMs;
    return [...this.#channels.values()]
      .map((channel) => channel.between(fromMs, untilMs))
      .filter(({ hours }) => hours.length > 0);
  }
}

interface OpenHour {
  weighted: number;
  coveredMs: number;
  min: number;
  max: number;
  state: number;
  grown: number;
  hasReading: boolean;
}

class ChannelHours {
  readonly #of: SeriesOf;
  readonly #first: number;
  readonly #hours = new Map<number, OpenHour>();
  #lastMs: number | undefined;
  #last: number;
  #grown = 0;

  constructor(of: SeriesOf, first: number) {
    this.#of = of;
    this.#first = first;
    this.#last = first;
  }

  add(atMs: number, value: number): void {
    if (this.#lastMs !== undefined) {
      if (atMs < this.#lastMs) return; // the clock was set back: what is earlier cannot be weighed any more
      this.#holdUntil(atMs);
    }
    // A meter that shows less than before began anew.
    const began = this.#of.kind === "total_increasing" && value < this.#last;
    this.#grown += began ? value : value - this.#last;
    this.#lastMs = atMs;
    this.#last = value;
    const hour = this.#hour(atMs);
    hour.hasReading = true;
    this.#cover(hour, 0);
  }

  between(fromMs: number, untilMs: number): Series {
    const hours = [...this.#hours]
      .filter(([startMs, { hasReading }]) => hasReading && startMs >= fromMs && startMs < untilMs)
      .sort(([a], [b]) => a - b)
      .map(([startMs, { weighted, coveredMs, min, max, state, grown }]) => {
        const mean = coveredMs > 0 ? weighted / coveredMs : state;
        return { startMs, mean: Math.min(Math.max(mean, min), max), min, max, state, grown };
      });
    return { ...this.#of, first: this.#first, hours };
  }

  /** The last value held until then. */
  #holdUntil(atMs: number): void {
    let fromMs = this.#lastMs as number;
    while (fromMs < atMs) {
      const endMs = Math.min(atMs, (Math.floor(fromMs / hourMs) + 1) * hourMs);
      this.#cover(this.#hour(fromMs), endMs - fromMs);
      fromMs = endMs;
    }
  }

  #cover(hour: OpenHour, ms: number): void {
    hour.weighted += this.#last * ms;
    hour.coveredMs += ms;
    hour.min = Math.min(hour.min, this.#last);
    hour.max = Math.max(hour.max, this.#last);
    hour.state = this.#last;
    hour.grown = this.#grown;
  }

  #hour(atMs: number): OpenHour {
    const startMs = Math.floor(atMs / hourMs) * hourMs;
    let hour = this.#hours.get(startMs);
    if (hour === undefined) {
      const nothing = { weighted: 0, coveredMs: 0, min: Number.POSITIVE_INFINITY, max: Number.NEGATIVE_INFINITY };
      hour = { ...nothing, state: this.#last, grown: this.#grown, hasReading: false };
      this.#hours.set(startMs, hour);
    }
    return hour;
  }
}
