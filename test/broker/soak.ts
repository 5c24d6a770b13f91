import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { Qos, Version } from "../../src/broker/codec/packets.ts";
import { Chance } from "../support/numbers.ts";
import { type Account, OwnAccount, ShareAccount } from "./model/accounts.ts";
import type { LastingClient } from "./model/lasting-client.ts";
import { Publisher } from "./model/publisher.ts";
import { checkRetained } from "./model/retained.ts";
import { type Stream, Streams } from "./model/streams.ts";
import { Subscriber } from "./model/subscriber.ts";
import { until } from "./model/until.ts";
import { Visitor } from "./model/visitor.ts";
import { Wills } from "./model/wills.ts";

export interface SoakOptions {
  readonly port: number;
  readonly pid: number;
  readonly seed: number;
  readonly durationMs: number;
  /** How long a client stays or is away at most. */
  readonly turnMs: number;
  readonly sampleMs: number;
  /** Told how it stands, once in a while: of an hour that fails at its end something is left. */
  report(soFar: SoakFigures): void;
}

const reportPeriodMs = 300_000;

export interface SoakFigures {
  readonly atQos1: number;
  readonly atQos2: number;
  readonly received: number;
  readonly connections: number;
  readonly wills: number;
  readonly retainedChecks: number;
  /** Resident memory of the broker, evenly spaced. */
  readonly rssBytes: readonly number[];
}

/** 200 clients. */
const crowd = {
  publishers: 50,
  subscribers: 40,
  members: 40,
  shares: 4,
  visitors: 40,
  mortals: 20,
  readers: 10,
} as const;

const publishPeriodMs = 100;

/**
 * 200 clients in both versions that connect, subscribe, publish, fall silent and vanish at random: rejects at whatever the
 * broker promises and does not hold.
 */
export async function soak(options: SoakOptions): Promise<SoakFigures> {
  const run = new Soak(options);
  return await run.run();
}

class Soak {
  readonly #options: SoakOptions;
  readonly #chance: Chance;
  readonly #streams = new Streams();
  readonly #wills = new Wills();
  readonly #accounts: Account[] = [];
  readonly #publishers: Publisher[];
  readonly #subscribers: Subscriber[];
  readonly #visitors: Visitor[];
  readonly #rss: number[] = [];
  #isOver = false;
  #received = 0;
  #connections = 0;
  #retainedChecks = 0;

  constructor(options: SoakOptions) {
    this.#options = options;
    this.#chance = new Chance(options.seed);
    this.#publishers = times(crowd.publishers, (i) => this.#publisher(i));
    const shares = times(crowd.shares, (i) => new ShareAccount(`share ${i}`, this.#streams, "s/"));
    this.#subscribers = [
      ...times(crowd.subscribers, (i) => this.#subscriber(i)),
      ...times(crowd.members, (i) => {
        const account = shares[i % crowd.shares] as ShareAccount;
        return this.#listening(`member-${i}`, versionOf(i), `$share/g${i % crowd.shares}/s/#`, account);
      }),
      new Subscriber("wills", 5, "w/#", { subscribed: () => {}, take: ({ topic }) => this.#wills.take(topic) }),
    ];
    this.#accounts.push(...shares);
    this.#visitors = times(crowd.visitors, (i) => new Visitor(`visitor-${i}`, versionOf(i), this.#streams));
  }

  async run(): Promise<SoakFigures> {
    const { port } = this.#options;
    const watching = this.#subscribers.at(-1) as Subscriber;
    const first = watching.live(port);
    await until(() => watching.isKnown, 60_000, [first]);
    watching.vanish();
    await first;
    const lives = [
      ...[...this.#publishers, ...this.#subscribers].map((one) => this.#comeAndGo(one)),
      ...this.#visitors.map((one) => this.#visit(one)),
      ...times(crowd.mortals, (i) => this.#die(i)),
      ...times(crowd.readers, (i) => this.#read(i)),
      this.#pace(),
      this.#measure(),
    ];
    const all = Promise.all(lives);
    await Promise.race([all, sleep(this.#options.durationMs)]);
    this.#isOver = true;
    await all;
    await this.#finish();
    return this.#figures();
  }

  #figures(): SoakFigures {
    return {
      atQos1: this.#streams.acknowledged(1),
      atQos2: this.#streams.acknowledged(2),
      received: this.#received + this.#visitors.reduce((sum, one) => sum + one.received, 0),
      connections: this.#connections,
      wills: this.#wills.published,
      retainedChecks: this.#retainedChecks,
      rssBytes: this.#rss,
    };
  }

  #publisher(i: number): Publisher {
    const pick = (from: readonly Stream[]) => this.#chance.pick(from);
    return new Publisher(`${i}`, versionOf(i), this.#streams, pick, true);
  }

  /** Hears one publisher. */
  #subscriber(i: number): Subscriber {
    const prefix = `q/${i}/`;
    const account = new OwnAccount(`subscriber ${i}`, this.#streams, prefix);
    this.#accounts.push(account);
    return this.#listening(`subscriber-${i}`, versionOf(i + 1), `${prefix}#`, account);
  }

  #listening(clientId: string, version: Version, filter: string, account: Account): Subscriber {
    return new Subscriber(clientId, version, filter, {
      subscribed: () => account.subscribed(),
      take: ({ topic, payload }) => {
        account.take(this.#streams.of(topic), Number(payload));
        this.#received++;
      },
    });
  }

  /** Stays for a while, goes in one way or another, stays away for a while. */
  async #comeAndGo(client: LastingClient): Promise<void> {
    const chance = this.#chance;
    const { port, turnMs } = this.#options;
    let frozen = { life: Promise.resolve(), end: () => {} };
    while (!this.#isOver) {
      await this.#away();
      this.#connections++;
      const life = client.live(port);
      await Promise.race([life, this.#pause(chance.below(turnMs))]);
      frozen.end();
      await frozen.life;
      // One that fell silent comes back while its old connection still stands: the broker ends that one.
      if (chance.of(0.2)) {
        frozen = { life, end: client.freeze() };
        continue;
      }
      if (chance.of(0.5)) client.leave();
      else client.vanish();
      await life;
    }
    frozen.end();
    await frozen.life;
  }

  async #visit(visitor: Visitor): Promise<void> {
    const chance = this.#chance;
    const { port, turnMs } = this.#options;
    while (!this.#isOver) {
      await this.#away();
      this.#connections++;
      const i = chance.whole(crowd.publishers);
      const filter = chance.pick(["q/+/1", "q/+/2", `q/${i}/#`, `s/${i}/+`, "s/+/2"]);
      const life = visitor.visit(port, filter, chance.whole(3) as Qos);
      await Promise.race([life, this.#pause(chance.below(turnMs))]);
      visitor.vanish();
      await life;
    }
  }

  /** Dies again and again, leaving a will each time. */
  async #die(i: number): Promise<void> {
    const { port, turnMs } = this.#options;
    for (let death = 0; !this.#isOver; death++) {
      await this.#away();
      this.#connections++;
      const cut = new AbortController();
      const life = this.#wills.leave(port, `${i}-${death}`, versionOf(i + death), cut.signal);
      await Promise.race([life, this.#pause(this.#chance.below(turnMs))]);
      cut.abort();
      await life;
    }
  }

  async #read(i: number): Promise<void> {
    while (!this.#isOver) {
      await this.#away();
      this.#connections++;
      await checkRetained(this.#options.port, this.#streams, `reader-${i}`);
      this.#retainedChecks++;
    }
  }

  async #pace(): Promise<void> {
    while (!this.#isOver) {
      for (const one of this.#publishers) one.publish();
      await this.#pause(publishPeriodMs);
    }
  }

  async #measure(): Promise<void> {
    const { pid, sampleMs, report } = this.#options;
    let reportedMs = performance.now();
    while (!this.#isOver) {
      this.#rss.push(rssBytes(pid));
      await this.#pause(sampleMs);
      if (performance.now() - reportedMs < reportPeriodMs) continue;
      reportedMs = performance.now();
      report(this.#figures());
    }
  }

  #away(): Promise<void> {
    return this.#pause(this.#chance.below(this.#options.turnMs));
  }

  /** Not longer than the soak lasts. */
  async #pause(ms: number): Promise<void> {
    const endMs = performance.now() + ms;
    while (!this.#isOver && performance.now() < endMs)
      await sleep(Math.min(500, Math.max(1, endMs - performance.now())));
  }

  /** Everyone comes back, and what is promised must arrive. */
  async #finish(): Promise<void> {
    for (const one of this.#publishers) one.isQuiet = true;
    const everyone = [...this.#publishers, ...this.#subscribers];
    const lives = everyone.map((one) => one.live(this.#options.port));
    const missing = () => [...this.#accounts.flatMap((one) => one.missing()), ...this.#wills.missing()];
    const isDone = () => this.#publishers.every((one) => one.isDone) && missing().length === 0;
    await until(isDone, 120_000, lives).catch((error: unknown) => {
      throw new Error(`missing: ${missing().join("; ")}`, { cause: error });
    });
    await checkRetained(this.#options.port, this.#streams);
    for (const one of everyone) one.vanish();
    await Promise.all(lives);
  }
}

const versionOf = (i: number): Version => (i % 2 === 0 ? 5 : 4);

function times<T>(count: number, make: (i: number) => T): T[] {
  return Array.from({ length: count }, (_, i) => make(i));
}

function rssBytes(pid: number): number {
  const found = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"));
  return Number(found?.[1]) * 1024;
}
