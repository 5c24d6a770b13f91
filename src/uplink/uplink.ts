import type { BoardChange } from "../core/board.ts";
import type { Clock } from "../core/clock.ts";
import { type ErrorCode, errnoName, GatewayError } from "../core/errors.ts";
import type { DeviceEvent } from "../core/event.ts";
import { Receipts } from "./backlog/receipts.ts";
import { replayRequest } from "./backlog/replay.ts";
import { backoffSleep, slowDelayMs } from "./backoff.ts";
import { brokerIdentity } from "./broker-identity.ts";
import { parseAddress } from "./client/address.ts";
import { connectMqtt } from "./client/mqtt-client.ts";
import { Dialer } from "./dialer.ts";
import type { LinkEnd, Protocol, Publication, Refusal } from "./link.ts";
import { lostError, REASON } from "./link.ts";
import { currentTopics } from "./live/current-topics.ts";
import { Events } from "./live/events.ts";
import { memoryFaults } from "./live/memory-faults.ts";
import type { Fault } from "./live/payloads.ts";
import { clearRetained, readRetained } from "./live/retained.ts";
import type { UplinkOptions } from "./options.ts";
import { type CommandHandler, Commands } from "./requests/commands.ts";
import { Requests } from "./requests/requests.ts";
import { runSession, type Session } from "./session.ts";
import { type Context, type Memory, newMemory, type Subscription, type UplinkDeps } from "./state.ts";

/** How the connection is. Monotonic times are this boot's. */
export interface LinkState {
  readonly connected: boolean;
  /** The broker that is connected or tried, without credentials. */
  readonly url: string;
  readonly protocol: Protocol;
  /** Monotonic time of the last change of `connected`. */
  readonly sinceMonoMs: number;
  /** Attempts since the last stable connection. */
  readonly attempts: number;
  readonly lastError?: { readonly code: ErrorCode; readonly message: string };
  /** With the further ones. */
  readonly connections: { readonly connected: number; readonly wanted: number };
  /** Receipts that were ignored, by why. */
  readonly ignoredReceipts: Readonly<Record<string, number>>;
}

/** Delivers what the store holds and shows what the board shows, over one connection at a time. */
export interface Uplink {
  /** Connects, and connects again, until the signal; then says `offline`, if it can, and resolves. */
  run(signal: AbortSignal): Promise<void>;
  linkState(): LinkState;
  faults(): readonly Fault[];
  /** The broker's identity in the ledger: of the one that is connected or tried. */
  broker(): string;
  /** Every retained topic that is published for what is on the board now. */
  currentTopics(): ReadonlySet<string>;
  /** A message that is not retained: an answer, an event. Rejects with BROKER_UNREACHABLE or BROKER_REFUSED. */
  publish(message: Omit<Publication, "retain">): Promise<void>;
  /** Publishes an event within the next seconds, or drops it. */
  tell(event: DeviceEvent): void;
  /** Discovery and states once more. Does nothing while there is no connection: a connection begins with them. */
  announce(): void;
  /** What the broker refused, or dropped the connection over, is sent again. Was there any? */
  clearFaults(): boolean;
  /** Removes retained messages. Rejects with BROKER_UNREACHABLE or BROKER_REFUSED; can be repeated. */
  clearRetained(topics: readonly string[]): Promise<void>;
  /** Which of these topics hold a retained message, read from the broker. Rejects with BROKER_UNREACHABLE. */
  retainedAmong(topics: readonly string[]): Promise<string[]>;
  /**
   * Nothing retained is published for a device any more, until it is added to the board anew; resolves when nothing is
   * under way for it. What the outbox has of it is still delivered.
   */
  forget(device: string): Promise<void>;
}

/** Throws CONFIG_INVALID for an address that is none. */
export function createUplink(options: UplinkOptions, deps: UplinkDeps): Uplink {
  return new MqttUplink(options, deps);
}

class MqttUplink implements Uplink {
  readonly #options: UplinkOptions;
  readonly #deps: UplinkDeps;
  readonly #memory: Memory;
  readonly #context: Context;
  readonly #receipts: Receipts;
  readonly #events: Events;
  readonly #dialer: Dialer;
  readonly #gone = new Set<string>();
  #session: Session | undefined;
  #connected = false;
  #sinceMonoMs: number;
  #attempts = 0;
  #lastError: GatewayError | undefined;

  constructor(options: UplinkOptions, deps: UplinkDeps) {
    for (const url of options.urls) parseAddress(url);
    this.#options = options;
    this.#deps = deps;
    this.#memory = newMemory(deps.clock);
    this.#receipts = new Receipts({ ...deps, ...options, memory: this.#memory, outbox: deps.store.outbox });
    this.#events = new Events(options.topics, deps, () => this.#session?.link);
    this.#context = this.#contextOf();
    deps.store.outbox.setConsumers([...options.consumers, ...options.readers]);
    this.#dialer = new Dialer(options);
    this.#sinceMonoMs = deps.clock.monoMs();
    // Before any connection listens, so that it finds the device remembered. Both live as long as the process.
    deps.board.onChange((change) => this.#boardChanged(change));
  }

  #contextOf(): Context {
    const base = { options: this.#options, deps: this.#deps, memory: this.#memory, receipts: this.#receipts };
    const { options, deps } = base;
    const requests = new Requests({
      ...options,
      log: deps.log,
      handlers: new Map([["replay", replayRequest(base, () => this.#open().link)], ...(deps.requests ?? [])]),
      publish: (message) => this.publish(message),
    });
    const commands = deps.commands ? this.#commandsOf(deps.commands) : [];
    const own = [this.#receipts.subscription, requests.subscription, ...commands];
    return { ...base, events: this.#events, subscriptions: [...deps.subscriptions, ...own] };
  }

  #commandsOf(handler: CommandHandler): Subscription[] {
    const { qos } = this.#options;
    const parts = {
      ...this.#options,
      log: this.#deps.log,
      handler,
      publish: (message: Omit<Publication, "retain">) => this.publish(message),
    };
    return new Commands(parts).subscriptions.map((subscription) => ({ ...subscription, qos: qos.commands }));
  }

  async run(signal: AbortSignal): Promise<void> {
    try {
      while (!signal.aborted) await this.#once(signal);
    } catch (error) {
      if (!signal.aborted || error !== signal.reason) throw error;
    }
  }

  linkState(): LinkState {
    const { url, protocol } = this.#dialer.target();
    const error = this.#lastError;
    return {
      connected: this.#connected,
      url: parseAddress(url).shown,
      protocol,
      sinceMonoMs: this.#sinceMonoMs,
      attempts: this.#attempts,
      ...(error && { lastError: { code: error.code, message: error.message } }),
      connections: { connected: this.#connectionsUp(), wanted: this.#options.connections },
      ignoredReceipts: this.#receipts.rejected(),
    };
  }

  broker(): string {
    return brokerIdentity(this.linkState().url, this.#deps.gateway);
  }

  currentTopics(): ReadonlySet<string> {
    return currentTopics(this.#context);
  }

  faults(): readonly Fault[] {
    const { rival } = this.#memory;
    const error = this.#connected ? undefined : this.#lastError;
    return [
      ...(error ? [{ code: error.code, message: error.message }] : []),
      ...(rival ? [rival] : []),
      ...memoryFaults(this.#memory, this.#options.clientId),
    ];
  }

  async publish(message: Omit<Publication, "retain">): Promise<void> {
    const code = await this.#open().link.publish(message, true);
    if (code < REASON.unspecified) return;
    throw new GatewayError("BROKER_REFUSED", `${message.topic} was refused with reason 0x${code.toString(16)}`);
  }

  tell(event: DeviceEvent): void {
    this.#events.tell(event);
  }

  announce(): void {
    this.#session?.announceDiscovery();
  }

  clearFaults(): boolean {
    const { banned, forbidden } = this.#memory;
    const isAny = banned.size + forbidden.size > 0;
    banned.clear();
    forbidden.clear();
    if (isAny) this.announce();
    return isAny;
  }

  async clearRetained(topics: readonly string[]): Promise<void> {
    await clearRetained(this.#open().link, topics);
  }

  async retainedAmong(topics: readonly string[]): Promise<string[]> {
    return [...(await readRetained(this.#open().reader, topics)).keys()];
  }

  async forget(device: string): Promise<void> {
    this.#memory.forgotten.add(device);
    if (!this.#deps.board.get(device)) this.#gone.add(device);
    await this.#session?.settled();
  }

  /** A forgotten device that left the board and is there again was brought back. */
  #boardChanged({ device, what }: BoardChange): void {
    if (what === "removed" && this.#memory.forgotten.has(device)) this.#gone.add(device);
    if (what === "info" && this.#gone.delete(device)) this.#memory.forgotten.delete(device);
  }

  #connectionsUp(): number {
    const further = [...this.#memory.further.values()].filter(({ connected }) => connected);
    return this.#connected ? 1 + further.length : 0;
  }

  #open(): Session {
    if (this.#session) return this.#session;
    throw new GatewayError("BROKER_UNREACHABLE", `not connected to ${this.linkState().url}`);
  }

  /** One connection from the attempt to its end, and the pause that follows. */
  async #once(signal: AbortSignal): Promise<void> {
    const { clock, log, connect = connectMqtt } = this.#deps;
    const target = this.#dialer.target();
    const { isScouting } = this.#memory;
    const will = { topic: this.#options.topics.status, payload: "offline" };
    const outcome = await connect({ ...this.#options, ...target, ...(!isScouting && { will }) }, clock, signal);
    if ("refused" in outcome) return await this.#refused(outcome.refused, signal);

    const { link } = outcome;
    this.#dialer.connected();
    this.#turned(true);
    log.info("connected to the broker", { url: link.url, protocol: link.protocol });
    let end: LinkEnd | undefined;
    try {
      const opened = (session: Session) => {
        this.#session = session;
        this.#events.connected();
      };
      end = await runSession(link, target.url, this.#context, { faults: () => this.faults(), opened }, signal);
      this.#lost(link.url, end);
    } finally {
      this.#session = undefined;
      this.#turned(false, end);
    }
    if (signal.aborted || isScouting !== this.#memory.isScouting) return;
    await backoffSleep(this.#attempts++, this.#deps, this.#options.reconnect, signal);
  }

  #turned(connected: boolean, end?: LinkEnd): void {
    const { clock } = this.#deps;
    const { stableMs } = this.#options.reconnect;
    const nowMonoMs = clock.monoMs();
    const lastedMs = nowMonoMs - this.#sinceMonoMs;
    if (!connected && end) this.#memory.takenOver = takeOvers(this.#memory.takenOver, end, lastedMs, stableMs);
    if (!connected && lastedMs >= stableMs) this.#attempts = this.#memory.takenOver;
    this.#connected = connected;
    this.#sinceMonoMs = nowMonoMs;
    this.#deps.connectionChanged?.(connected);
  }

  #lost(url: string, end: LinkEnd): void {
    this.#lastError = lostError(url, end);
    const { byBroker } = end;
    this.#deps.log.info("disconnected from the broker", { message: this.#lastError.message, byBroker });
  }

  async #refused(refusal: Refusal, signal: AbortSignal): Promise<void> {
    const { kind, error } = withClock(refusal, this.#deps.clock);
    if (this.#lastError?.message !== error.message) {
      this.#deps.log.warn("the broker cannot be reached", { kind, error: error.message });
    }
    this.#lastError = error;
    const then = this.#dialer.refused(kind);
    if (then !== "wait") return;
    const attempt = this.#attempts++;
    const { reconnect } = this.#options;
    if (kind === "credentials") await this.#deps.clock.sleep(slowDelayMs(this.#deps.random, reconnect), signal);
    else await backoffSleep(attempt, this.#deps, reconnect, signal);
  }
}

/** A machine without a battery-backed clock starts in the past, where no certificate is valid yet: that passes by itself. */
function withClock({ kind, error }: Refusal, clock: Clock): Refusal {
  if (errnoName(error.cause) !== "CERT_NOT_YET_VALID" || clock.syncState() === "synced") return { kind, error };
  // To the day, so that the same news is told once.
  const today = new Date(clock.wallMs()).toISOString().slice(0, 10);
  const message = `${error.message}; this machine's clock says ${today} and is not set yet: tried again`;
  return { kind, error: new GatewayError(error.code, message, { cause: error.cause }) };
}

/** A quiet connection has to last this much longer than a stable one until the last take-over is forgotten. */
const QUIET_TIMES = 20;

/** Two clients with one id throw each other out for ever, so their pauses must grow however long each of them lasted. */
function takeOvers(before: number, { code }: LinkEnd, lastedMs: number, stableMs: number): number {
  const left = lastedMs >= QUIET_TIMES * stableMs ? 0 : before;
  return code === REASON.sessionTakenOver ? left + 1 : left;
}
