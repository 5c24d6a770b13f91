import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "vitest";
import type { Version } from "../../../src/broker/codec/packets.ts";
import { Chance } from "../../support/numbers.ts";
import { type Account, OwnAccount, ShareAccount } from "../model/accounts.ts";
import type { LastingClient } from "../model/lasting-client.ts";
import { Publisher } from "../model/publisher.ts";
import { checkRetained } from "../model/retained.ts";
import { type Stream, Streams } from "../model/streams.ts";
import { Subscriber } from "../model/subscriber.ts";
import { until } from "../model/until.ts";
import { Wills } from "../model/wills.ts";
import { BrokerProcess } from "./process.ts";

const versions: readonly Version[] = [4, 5];

export interface KillFigures {
  readonly atQos1: number;
  readonly atQos2: number;
  readonly repeatedAtQos1: number;
  readonly wills: number;
}

/**
 * kill -9 of the broker at so many random moments, under load from publishers, subscribers, shares and wills in both
 * versions that come and go: throws when something acknowledged is missing in a persistent session, comes twice at QoS 2,
 * or is older than what was retained last, and when a will is missing or comes though its client did.
 */
export async function killRounds(window: string, rounds: number, seed: number): Promise<KillFigures> {
  await using broker = new BrokerProcess(window);
  const load = new Load(new Chance(seed));
  await broker.start();
  await load.enter(broker.port);
  for (let round = 0; round < rounds; round++) {
    load.starting();
    if (round > 0) await broker.start();
    await load.round(broker, round);
  }
  load.starting();
  await broker.start();
  await load.finish(broker.port);
  expect(broker.errors).toBe("");
  return load.figures();
}

class Load {
  readonly #chance: Chance;
  readonly #streams = new Streams();
  readonly #wills = new Wills();
  readonly #publishers: readonly Publisher[];
  readonly #subscribers: readonly Subscriber[];
  readonly #accounts: Account[] = [];
  #repeated = 0;

  constructor(chance: Chance) {
    this.#chance = chance;
    const pick = (from: readonly Stream[]) => chance.pick(from);
    this.#publishers = versions.flatMap((version) => [
      new Publisher(`${version}a`, version, this.#streams, pick),
      new Publisher(`${version}b`, version, this.#streams, pick),
    ]);
    const share = new ShareAccount("share", this.#streams, "s/");
    this.#accounts.push(share);
    const watch = { subscribed: () => {}, take: ({ topic }: { topic: string }) => this.#wills.take(topic) };
    this.#subscribers = [
      ...versions.map((version) => {
        const own = new OwnAccount(`all-${version}`, this.#streams, "q/");
        this.#accounts.push(own);
        return this.#subscriber(`all-${version}`, version, "q/#", own);
      }),
      ...versions.map((version) => this.#subscriber(`member-${version}`, version, "$share/g/s/#", share)),
      new Subscriber("wills", 5, "w/#", watch),
    ];
  }

  /** Everyone subscribes. */
  async enter(port: number): Promise<void> {
    const lives = this.#subscribers.map((one) => one.live(port));
    await until(() => this.#subscribers.every(({ isKnown }) => isKnown), 60_000, lives);
    for (const one of this.#subscribers) one.vanish();
    await Promise.all(lives);
  }

  starting(): void {
    this.#wills.started();
  }

  async round(broker: BrokerProcess, round: number): Promise<void> {
    const { port } = broker;
    const chance = this.#chance;
    await checkRetained(port, this.#streams);
    let isOver = false;
    const returned = new Set<Version>();
    // Now and then the subscribers are away, so that everything waits for them on the disk.
    const present = chance.of(0.2) ? this.#publishers : [...this.#publishers, ...this.#subscribers];
    const lives = [
      ...present.map((one) => stay(one, port, chance, () => isOver)),
      ...versions.map((version) => this.#wills.leave(port, `${round}-${version}`, version)),
      ...versions.map((version) => this.#wills.comeBack(port, version, () => returned.add(version))),
    ];
    const all = Promise.all(lives);
    await Promise.race([all, sleep(chance.below(300))]);
    await until(() => returned.size === versions.length, 60_000, lives);
    isOver = true;
    broker.signal("SIGKILL");
    await Promise.all([all, broker.ended()]);
  }

  async finish(port: number): Promise<void> {
    for (const one of this.#publishers) one.isQuiet = true;
    for (const version of versions) await this.#wills.takeBack(port, version);
    const everyone = [...this.#publishers, ...this.#subscribers];
    const lives = everyone.map((one) => one.live(port));
    const missing = () => [...this.#accounts.flatMap((one) => one.missing()), ...this.#wills.missing()];
    const isDone = () => this.#publishers.every((one) => one.isDone) && missing().length === 0;
    await until(isDone, 60_000, lives).catch((error: unknown) => {
      throw new Error(`missing: ${missing().join("; ")}`, { cause: error });
    });
    await checkRetained(port, this.#streams);
    for (const one of everyone) one.vanish();
    await Promise.all(lives);
  }

  figures(): KillFigures {
    return {
      atQos1: this.#streams.acknowledged(1),
      atQos2: this.#streams.acknowledged(2),
      repeatedAtQos1: this.#repeated,
      wills: this.#wills.published,
    };
  }

  #subscriber(name: string, version: Version, filter: string, account: Account): Subscriber {
    return new Subscriber(name, version, filter, {
      subscribed: () => account.subscribed(),
      take: ({ topic, payload }) => {
        if (!account.take(this.#streams.of(topic), Number(payload))) this.#repeated++;
      },
    });
  }
}

/** It is there until the round is over, but may go and come back in the middle. */
async function stay(client: LastingClient, port: number, chance: Chance, isOver: () => boolean): Promise<void> {
  const leaves = chance.of(0.3) ? setTimeout(() => client.vanish(), chance.below(250)) : undefined;
  do await client.live(port);
  while (!isOver());
  clearTimeout(leaves);
}
