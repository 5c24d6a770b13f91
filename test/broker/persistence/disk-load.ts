import { setTimeout as sleep } from "node:timers/promises";
import type { Version } from "../../../src/broker/codec/packets.ts";
import { Chance } from "../../support/numbers.ts";
import { OwnAccount } from "../model/accounts.ts";
import { Publisher } from "../model/publisher.ts";
import { checkRetained } from "../model/retained.ts";
import { type Stream, Streams } from "../model/streams.ts";
import { Subscriber } from "../model/subscriber.ts";
import { until } from "../model/until.ts";
import { connectPacket, Peer } from "../support/peer.ts";

const versions: readonly Version[] = [4, 5];
const publishPeriodMs = 5;

/**
 * Publishers in both versions for subscribers that are away, so that everything is to be kept, on a disk that may refuse it;
 * and somebody who needs no disk, to whom the broker must answer at once all the time.
 */
export class DiskLoad {
  readonly streams = new Streams();
  readonly publishers: readonly Publisher[];
  /** The longest that an answer to a ping took. */
  slowestPongMs = 0;
  readonly #accounts: readonly OwnAccount[];
  readonly #subscribers: readonly Subscriber[];
  readonly #onAcknowledged: (stream: Stream, n: number) => void;
  #isOver = false;
  #lives: Promise<unknown> = Promise.resolve();

  constructor(seed: number, onAcknowledged: (stream: Stream, n: number) => void = () => {}) {
    const chance = new Chance(seed);
    this.#onAcknowledged = onAcknowledged;
    const pick = (from: readonly Stream[]) => chance.pick(from.filter(({ topic }) => !topic.startsWith("s/")));
    this.publishers = versions.map((version) => new Publisher(`${version}`, version, this.streams, pick, true));
    for (const one of this.publishers) {
      one.mayBeRefused = true;
      one.onAcknowledged = (stream, n) => this.#onAcknowledged(stream, n);
    }
    this.#accounts = versions.map((version) => new OwnAccount(`away-${version}`, this.streams, "q/"));
    this.#subscribers = versions.map((version, i) => this.#subscriber(version, this.#accounts[i] as OwnAccount));
  }

  get acknowledged(): number {
    return this.streams.acknowledged(1) + this.streams.acknowledged(2);
  }

  get refused(): number {
    return this.publishers.reduce((sum, { refused }) => sum + refused, 0);
  }

  /** The subscribers subscribe and go; everyone else begins. */
  async begin(port: number): Promise<void> {
    const lives = this.#subscribers.map((one) => one.live(port));
    await until(() => this.#subscribers.every(({ isKnown }) => isKnown), 60_000, lives);
    for (const one of this.#subscribers) one.vanish();
    await Promise.all(lives);
    this.#lives = Promise.all([
      ...this.publishers.map(async (one) => {
        while (!this.#isOver) {
          await one.live(port);
          await sleep(20);
        }
      }),
      this.#pace(),
      this.#ping(port),
    ]);
  }

  until(isThere: () => boolean): Promise<void> {
    return until(isThere, 120_000, [this.#lives]);
  }

  /** Nobody publishes any more. */
  async stop(): Promise<void> {
    this.#isOver = true;
    for (const one of this.publishers) one.vanish();
    await this.#lives;
  }

  /** Everything that was acknowledged is there: for the subscribers, and retained. How many messages. */
  async check(port: number): Promise<number> {
    const lives = this.#subscribers.map((one) => one.live(port));
    const missing = () => this.#accounts.flatMap((one) => one.missing());
    await until(() => missing().length === 0, 60_000, lives).catch((error: unknown) => {
      throw new Error(`missing: ${missing().join("; ")}`, { cause: error });
    });
    await checkRetained(port, this.streams);
    for (const one of this.#subscribers) one.vanish();
    await Promise.all(lives);
    return this.acknowledged;
  }

  async #pace(): Promise<void> {
    while (!this.#isOver) {
      for (const one of this.publishers) one.publish();
      await sleep(publishPeriodMs);
    }
  }

  async #ping(port: number): Promise<void> {
    using peer = new Peer({ host: "127.0.0.1", port }, 5);
    peer.send(connectPacket({ clientId: "pinging", version: 5 }));
    await peer.nextOf("connack");
    while (!this.#isOver) {
      const sentMs = performance.now();
      await peer.untilPong();
      this.slowestPongMs = Math.max(this.slowestPongMs, performance.now() - sentMs);
      await sleep(5);
    }
  }

  #subscriber(version: Version, account: OwnAccount): Subscriber {
    return new Subscriber(`away-${version}`, version, "q/#", {
      subscribed: () => account.subscribed(),
      take: ({ topic, payload }) => void account.take(this.streams.of(topic), Number(payload)),
    });
  }
}
