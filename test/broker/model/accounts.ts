import type { Stream, Streams } from "./streams.ts";

/** What a subscriber, or those of a share together, had and must have had. Throws at what breaks a promise. */
export interface Account {
  /** The broker confirmed the subscription: from here on nothing may be missing. */
  subscribed(): void;
  /** QoS 1 may come again; false says that it did. */
  take(stream: Stream, n: number): boolean;
  /** What was acknowledged to its publisher and has not come. */
  missing(): string[];
}

/** One subscriber: each stream without a gap and in order. */
export class OwnAccount implements Account {
  readonly #name: string;
  readonly #streams: Streams;
  readonly #prefix: string;
  readonly #last = new Map<Stream, number>();
  #before: Map<Stream, number> | undefined;

  constructor(name: string, streams: Streams, prefix: string) {
    this.#name = name;
    this.#streams = streams;
    this.#prefix = prefix;
  }

  subscribed(): void {
    this.#before ??= new Map(this.#streams.matching(this.#prefix).map((stream) => [stream, stream.sent]));
  }

  take(stream: Stream, n: number): boolean {
    const last = this.#last.get(stream);
    if (last !== undefined && n <= last) {
      if (stream.qos === 2) throw new Error(`${this.#name} got ${stream.topic} ${n} twice, or behind ${last}`);
      return false;
    }
    const next = stream.after(last ?? this.#startOf(stream) ?? n - 1);
    // One that was refused may come all the same: its publisher was told so when the disk failed under it.
    if (n > next) throw new Error(`${this.#name} got ${stream.topic} ${n} where ${next} was due`);
    this.#last.set(stream, n);
    return true;
  }

  upTo(stream: Stream): number {
    return this.#last.get(stream) ?? 0;
  }

  missing(): string[] {
    return this.#streams.matching(this.#prefix).flatMap((stream) => {
      const had = this.#last.get(stream) ?? this.#startOf(stream) ?? stream.acknowledged;
      return had >= stream.acknowledged
        ? []
        : [`${this.#name}: ${stream.topic} ${stream.after(had)} to ${stream.acknowledged}`];
    });
  }

  /** What was sent before is not promised. */
  #startOf(stream: Stream): number | undefined {
    return this.#before && (this.#before.get(stream) ?? 0);
  }
}

/** The members of a share: together everything, at QoS 2 once. */
export class ShareAccount implements Account {
  readonly #name: string;
  readonly #streams: Streams;
  readonly #prefix: string;
  readonly #had = new Map<Stream, Had>();
  #before: Map<Stream, number> | undefined;

  constructor(name: string, streams: Streams, prefix: string) {
    this.#name = name;
    this.#streams = streams;
    this.#prefix = prefix;
  }

  subscribed(): void {
    this.#before ??= new Map(this.#streams.matching(this.#prefix).map((stream) => [stream, stream.sent]));
  }

  take(stream: Stream, n: number): boolean {
    const had = this.#hadOf(stream);
    if (n > had.upTo && !had.beyond.has(n)) {
      had.beyond.add(n);
      for (let next = stream.after(had.upTo); had.beyond.delete(next); next = stream.after(next)) had.upTo = next;
      return true;
    }
    const isPromised = n > (this.#before?.get(stream) ?? 0);
    if (stream.qos === 2 && isPromised && !stream.refused.has(n))
      throw new Error(`${this.#name} got ${stream.topic} ${n} twice`);
    return false;
  }

  missing(): string[] {
    return this.#streams.matching(this.#prefix).flatMap((stream) => {
      const { upTo } = this.#hadOf(stream);
      return upTo >= stream.acknowledged
        ? []
        : [`${this.#name}: ${stream.topic} ${stream.after(upTo)} to ${stream.acknowledged}`];
    });
  }

  #hadOf(stream: Stream): Had {
    const had = this.#had.get(stream) ?? { upTo: this.#before?.get(stream) ?? 0, beyond: new Set() };
    this.#had.set(stream, had);
    return had;
  }
}

interface Had {
  upTo: number;
  readonly beyond: Set<number>;
}
