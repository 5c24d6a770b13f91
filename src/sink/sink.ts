import type { Clock } from "../core/clock.ts";
import { isGatewayError } from "../core/errors.ts";
import type { Log } from "../core/log.ts";
import type { Random } from "../core/random.ts";
import { startWorker, type WorkerHost, workerFile } from "../sqlite/worker-host.ts";
import { backoffSleep } from "../uplink/backoff.ts";
import type { ClientTls, Secret } from "../uplink/client/connect-options.ts";
import { connectMqtt } from "../uplink/client/mqtt-client.ts";
import { Dialer } from "../uplink/dialer.ts";
import type { Incoming, Link } from "../uplink/link.ts";
import { uplinkDefaults } from "../uplink/options.ts";
import { ReplayAsker } from "./replay-asker.ts";
import type { Batch, Progress, SinkCalls, Totals } from "./sink-calls.ts";
import { answerOf, gapOf, readingOf } from "./wire.ts";

export interface SinkOptions {
  readonly urls: readonly string[];
  readonly protocol: "auto" | "5" | "3.1.1";
  readonly username?: string;
  readonly password?: string | Secret;
  readonly tls?: ClientTls;
  readonly baseTopic: string;
  /** The name under `mqtt.consumers` of the gateways. */
  readonly consumer: string;
  /** Only of this gateway; absent: of all under the base topic. */
  readonly gateway?: string;
  /** The database's file. */
  readonly database: string;
}

interface SinkDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

/** How the sink stands. */
export interface SinkState {
  readonly connected: boolean;
  readonly url: string;
  readonly gateways: readonly (Progress & Omit<Totals, "gateway">)[];
}

const SESSION_EXPIRY_SECONDS = 7 * 24 * 3600;
const BATCH_ROWS = 1000;
const BATCH_MS = 100;
const CHECK_MS = 500;

type Buffered = { -readonly [K in keyof Batch]: Batch[K][number][] };
const nothing = (): Buffered => ({ readings: [], gaps: [], ends: [] });

/**
 * The reference consumer: keeps every reading once, confirms to the gateway only what is on the disk and without a hole
 * before it, and asks for what is missing. It may be killed at any moment: what was not confirmed comes again.
 */
export class Sink implements AsyncDisposable {
  readonly #options: SinkOptions;
  readonly #deps: SinkDeps;
  readonly #host: WorkerHost<SinkCalls>;
  readonly #progress = new Map<string, Progress>();
  readonly #asker: ReplayAsker;
  #buffer = nothing();
  #writing: Promise<void> | undefined;
  #failure: { readonly error: unknown } | undefined;
  #link: Link | undefined;
  #url: string;

  private constructor(options: SinkOptions, deps: SinkDeps, host: WorkerHost<SinkCalls>) {
    this.#options = options;
    this.#deps = deps;
    this.#host = host;
    this.#asker = new ReplayAsker(deps.clock);
    this.#url = options.urls[0] ?? "";
  }

  /** Rejects with STORE_LOCKED while another sink has the database, STORE_IO or STORE_CORRUPT where it cannot be used. */
  static async open(options: SinkOptions, deps: SinkDeps): Promise<Sink> {
    const host = startWorker<SinkCalls>(workerFile(import.meta.url, "sink-worker"), { path: options.database });
    const sink = new Sink(options, deps, host);
    try {
      sink.#note(await host.call("open"));
      return sink;
    } catch (error) {
      await host[Symbol.asyncDispose]();
      throw error;
    }
  }

  async state(): Promise<SinkState> {
    const totals = new Map((await this.#host.call("totals")).map(({ gateway, ...rest }) => [gateway, rest]));
    const gateways = [...this.#progress.values()].map((one) => ({
      ...one,
      ...(totals.get(one.gateway) ?? { readings: 0, lost: 0 }),
    }));
    return { connected: this.#link !== undefined, url: this.#url, gateways };
  }

  /** Until the signal. Rejects when the database fails: then nothing may be confirmed any more. */
  async run(signal: AbortSignal): Promise<void> {
    const dialer = new Dialer(this.#options);
    let attempts = 0;
    try {
      while (!signal.aborted) {
        const upMs = await this.#session(dialer, signal);
        if (upMs === undefined) continue;
        if (upMs >= uplinkDefaults.reconnect.stableMs) attempts = 0;
        await backoffSleep(attempts++, this.#deps, uplinkDefaults.reconnect, signal);
      }
    } catch (error) {
      if (!signal.aborted || error !== signal.reason) throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#host[Symbol.asyncDispose]();
  }

  /** One connection; how long it lasted, or undefined when the next attempt is to follow at once. */
  async #session(dialer: Dialer, signal: AbortSignal): Promise<number | undefined> {
    const { clock, log } = this.#deps;
    const onMessage = (message: Incoming) => this.#take(message);
    const clientId = `fieldpost-sink-${this.#options.consumer}`;
    const session = { clientId, sessionExpirySeconds: SESSION_EXPIRY_SECONDS, onMessage };
    const outcome = await connectMqtt(
      { ...uplinkDefaults, ...this.#options, ...dialer.target(), ...session },
      clock,
      signal,
    );
    if ("refused" in outcome) {
      const { kind, error } = outcome.refused;
      log.warn("the broker cannot be reached", { error: error.message });
      return dialer.refused(kind) === "wait" ? 0 : undefined;
    }
    dialer.connected();
    const { link } = outcome;
    const sinceMonoMs = clock.monoMs();
    this.#url = link.url;
    const over = new AbortController();
    const stop = () => over.abort();
    signal.addEventListener("abort", stop, { once: true });
    const ended = link.closed.then(stop);
    let failure: { readonly error: unknown } | undefined;
    try {
      await link.subscribe(this.#filters());
      // Only now does it miss nothing any more.
      log.info("connected", { url: link.url });
      this.#link = link;
      for (const one of this.#progress.values()) this.#confirm(one);
      await this.#tend(over.signal);
    } catch (error) {
      // Why the connection ended is told below; what the database said ends the sink.
      if (!isGatewayError(error, "BROKER_UNREACHABLE", "BROKER_REFUSED") && !over.signal.aborted) failure = { error };
      else if (isGatewayError(error, "BROKER_REFUSED"))
        log.warn("a subscription was refused", { error: error.message });
    } finally {
      this.#link = undefined;
      signal.removeEventListener("abort", stop);
      await link.end();
      await ended;
    }
    if (failure) throw failure.error;
    log.info("disconnected", { url: link.url, message: (await link.closed).message });
    return clock.monoMs() - sinceMonoMs;
  }

  #filters(): string[] {
    const { baseTopic, gateway = "+" } = this.#options;
    return [
      `${baseTopic}/${gateway}/+/readings`,
      `${baseTopic}/${gateway}/gaps`,
      `${baseTopic}/${gateway}/response/replay`,
    ];
  }

  /** Writes what came, and asks for what is missing, until the signal or until the database fails. */
  async #tend(signal: AbortSignal): Promise<void> {
    const { clock } = this.#deps;
    let checkedMonoMs = clock.monoMs();
    while (!signal.aborted) {
      await clock.sleep(BATCH_MS, signal);
      await this.#write();
      if (this.#failure) throw this.#failure.error;
      if (clock.monoMs() - checkedMonoMs < CHECK_MS) continue;
      checkedMonoMs = clock.monoMs();
      for (const { gateway, request } of this.#asker.due(this.#progress.values())) {
        this.#publish(`${gateway}/request/replay`, request);
      }
    }
  }

  #take({ topic, payload }: Incoming): void {
    const { baseTopic, consumer } = this.#options;
    const [gateway = "", leaf, name] = topic.slice(baseTopic.length + 1).split("/");
    if (leaf === "gaps") {
      const gap = gapOf(gateway, consumer, payload);
      if (gap) this.#buffer.gaps.push(gap);
    } else if (leaf === "response" && name === "replay") {
      const answer = answerOf(payload);
      const learned = answer && this.#asker.learn(gateway, answer, this.#progress.get(gateway));
      this.#buffer.gaps.push(...(learned?.gaps ?? []));
      this.#buffer.ends.push(...(learned?.ends ?? []));
    } else {
      const reading = readingOf(topic, baseTopic, payload);
      if (reading) this.#buffer.readings.push(reading);
    }
    if (this.#buffer.readings.length >= BATCH_ROWS)
      this.#write().catch((error) => {
        this.#failure = { error };
      });
  }

  /** One batch after the other; what comes meanwhile is the next one. */
  async #write(): Promise<void> {
    while (this.#writing !== undefined) await this.#writing;
    const batch = this.#buffer;
    if (batch.readings.length + batch.gaps.length + batch.ends.length === 0) return;
    this.#buffer = nothing();
    this.#writing = this.#host.call("write", batch).then(({ progress }) => {
      this.#note(progress);
      // Also where nothing moved: the gateway sent something again, so it does not know that we have it.
      for (const one of progress) this.#confirm(one);
    });
    try {
      await this.#writing;
    } finally {
      this.#writing = undefined;
    }
  }

  #note(progress: readonly Progress[]): void {
    for (const one of progress) this.#progress.set(one.gateway, one);
  }

  #confirm({ gateway, epoch, seq }: Progress): void {
    this.#publish(`${gateway}/ack/${this.#options.consumer}`, { epoch, seq });
  }

  #publish(topic: string, value: unknown): void {
    const message = { topic: `${this.#options.baseTopic}/${topic}`, payload: JSON.stringify(value), qos: 1 } as const;
    this.#link?.publish(message, true).catch(() => {});
  }
}
