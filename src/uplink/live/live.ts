import type { BoardChange } from "../../core/board.ts";
import { isGatewayError } from "../../core/errors.ts";
import type { RetainedMessage } from "../../core/topics.ts";
import { isAt } from "../../store/store.ts";
import { isConsumer } from "../backlog/destination.ts";
import { PROBATION_MS } from "../backlog/suspects.ts";
import { brokerIdentity } from "../broker-identity.ts";
import type { Link, Publication, Qos } from "../link.ts";
import { REASON } from "../link.ts";
import { type Context, timeOf } from "../state.ts";
import { Discovery } from "./discovery.ts";
import { Latest } from "./latest.ts";
import { LedgerNotes } from "./ledger-notes.ts";
import {
  configPayload,
  deviceFaults,
  type Fault,
  type HealthFacts,
  healthPayload,
  healthSignature,
  infoPayload,
  statePayload,
} from "./payloads.ts";
import type { RetainedReader } from "./retained.ts";

/** Heartbeats that may be missed before `online` and `state` expire (MQTT 5). */
const HEARTBEATS_KEPT = 3;
/** A state that follows discovery sooner finds nobody subscribed (0 of 100 at 0 s, 79 at 0.2 s, all at 0.5 s). */
const SETTLE_MS = 750;

interface Outgoing extends RetainedMessage {
  readonly retain?: false;
  readonly qos?: Qos;
  readonly expires?: boolean;
}

/** What is true now, on retained topics, over one connection. */
export class LivePlane {
  readonly #link: Link;
  /** Whose ledger is kept. */
  readonly #broker: string;
  readonly #context: Context;
  readonly #faults: () => readonly Fault[];
  readonly #latest: Latest;
  /** Topics that went out over this connection, some because they changed while the rest was announced. */
  readonly #said = new Set<string>();
  readonly #discovery: Discovery;
  /** Announced as far as it was known before. */
  readonly #unopened = new Set<string>();
  readonly notes: LedgerNotes;
  #announced = false;
  #stopping = false;

  constructor(
    reader: RetainedReader,
    context: Context,
    faults: () => readonly Fault[],
    failed: (error: unknown) => void,
  ) {
    const { link } = reader;
    this.#link = link;
    this.notes = new LedgerNotes(context.deps.store.ledger);
    this.#broker = brokerIdentity(link.url, context.deps.gateway);
    this.#context = context;
    this.#faults = faults;
    this.#discovery = new Discovery(reader, context, (message) => {
      const { device } = message;
      if (device !== undefined && context.deps.board.get(device)?.health.state === "starting") {
        this.#unopened.add(device);
      }
      return this.#put(message.topic, () => message);
    });
    this.#latest = new Latest((error) => {
      if (!isGatewayError(error)) failed(error);
      else if (error.code !== "BROKER_UNREACHABLE") context.deps.log.warn("not published", { error: error.message });
    });
  }

  /**
   * Everything there is to know, in the order in which it makes sense to a reader: what we are, what is there, how it
   * is, and only then that it can be believed.
   */
  async announce(signal: AbortSignal): Promise<void> {
    this.#announced = true;
    await this.#info();
    await Promise.all(this.#devices().map((id) => this.#config(id)));
    await this.#discovery.announce("all", signal);
    const { device } = this.#context.options.topics;
    const unsaid = (topic: string) => !this.#said.has(topic);
    const statusOf = this.#devices().filter((id) => unsaid(device(id).status));
    const stateOf = this.#devices().filter((id) => unsaid(device(id).state));
    await Promise.all([...statusOf.map((id) => this.#deviceStatus(id)), ...stateOf.map((id) => this.#state(id))]);
    await this.#orphans();
    await this.gatewayStatus();
    await this.#health();
  }

  /** Discovery and states once more, for a Home Assistant that has just come up. */
  async announceDiscovery(signal: AbortSignal): Promise<void> {
    await this.#discovery.announce("all", signal);
    await this.repeatStates(signal);
  }

  /** The states again, when whoever heard the discovery has subscribed to them. */
  async repeatStates(signal: AbortSignal): Promise<void> {
    await this.#context.deps.clock.sleep(SETTLE_MS, signal);
    await Promise.all(this.#devices().map((id) => this.#state(id)));
  }

  /** Follows the board until the signal. */
  follow(signal: AbortSignal): void {
    const stop = this.#context.deps.board.onChange((change) => this.#changed(change, signal));
    signal.addEventListener("abort", stop, { once: true });
  }

  async beat(signal: AbortSignal): Promise<never> {
    const { clock, board } = this.#context.deps;
    for (;;) {
      await clock.sleep(this.#context.options.heartbeatMs, signal);
      void this.gatewayStatus();
      const online = this.#devices().filter((id) => board.get(id)?.health.online);
      for (const id of online) {
        void this.#deviceStatus(id);
        // Of a device that is offline nobody vouches for the state, so it may expire.
        void this.#state(id);
      }
    }
  }

  async reportHealth(signal: AbortSignal): Promise<never> {
    const { clock } = this.#context.deps;
    const { soonestMs, latestMs } = this.#context.options.health;
    let told = healthSignature(this.#healthFacts());
    let toldMonoMs = clock.monoMs();
    for (;;) {
      await clock.sleep(soonestMs, signal);
      const signature = healthSignature(this.#healthFacts());
      if (signature === told && clock.monoMs() - toldMonoMs < latestMs) continue;
      told = signature;
      toldMonoMs = clock.monoMs();
      await this.#health();
    }
  }

  /**
   * `offline` for the gateway; its devices' own status stays, as it does at a crash, where the will can name one topic
   * only: whoever reads a device's status reads the gateway's too (`availability_mode: all`). Without an announcement
   * there is nothing to take back, and it may be another's word.
   */
  async offline(): Promise<void> {
    this.#stopping = true;
    if (this.#announced) await this.gatewayStatus();
  }

  /** Resolves when nothing is under way any more. */
  settled(): Promise<void> {
    return this.#latest.settled();
  }

  gatewayStatus(): Promise<void> {
    const { status } = this.#context.options.topics;
    return this.#put(status, () => {
      const payload = this.#stopping ? "offline" : "online";
      return { topic: status, payload, expires: !this.#stopping };
    });
  }

  #changed({ device, what }: BoardChange, signal: AbortSignal): void {
    switch (what) {
      case "values":
        void this.#state(device);
        return;
      case "health":
        this.#healthChanged(device, signal);
        return;
      case "removed":
        void this.#deviceStatus(device);
        return;
      case "info":
        void this.#deviceChanged(device, signal);
        return;
    }
  }

  async #deviceChanged(device: string, signal: AbortSignal): Promise<void> {
    void this.#info();
    void this.#deviceStatus(device);
    await this.#config(device);
    await this.#discovered(device, signal);
  }

  /** Announces it, and its state once more when that was taken in. */
  async #discovered(device: string, signal: AbortSignal): Promise<void> {
    try {
      await this.#discovery.announce({ device }, signal);
      await this.#context.deps.clock.sleep(SETTLE_MS, signal);
    } catch (error) {
      if (signal.aborted) return;
      throw error;
    }
    await this.#state(device);
  }

  /** What a device has is known for certain once it was opened. */
  #healthChanged(device: string, signal: AbortSignal): void {
    void this.#deviceStatus(device);
    const isOpened = this.#context.deps.board.get(device)?.health.state !== "starting";
    if (!isOpened || !this.#unopened.delete(device)) return;
    void this.#discovered(device, signal);
  }

  #devices(): string[] {
    return this.#context.deps.board.all().map(({ info }) => info.id);
  }

  #info(): Promise<void> {
    const { options, deps, memory } = this.#context;
    return this.#put(options.topics.info, () => {
      const devices = deps.board.all().map(({ info }) => info);
      const startedWallMs = deps.clock.wallMs() - (deps.clock.monoMs() - memory.startedMonoMs);
      return { topic: options.topics.info, payload: infoPayload(deps.gateway, startedWallMs, devices) };
    });
  }

  #config(device: string): Promise<void> {
    const { config: topic } = this.#context.options.topics.device(device);
    return this.#put(topic, () => {
      const info = this.#context.deps.board.get(device)?.info;
      return info && { topic, device, payload: configPayload(info) };
    });
  }

  #deviceStatus(device: string): Promise<void> {
    const { status: topic } = this.#context.options.topics.device(device);
    return this.#put(topic, () => {
      const online = this.#context.deps.board.get(device)?.health.online === true;
      return { topic, device, payload: online ? "online" : "offline", expires: online };
    });
  }

  #state(device: string): Promise<void> {
    const { options, deps } = this.#context;
    if (!options.publish.state) return Promise.resolve();
    const { state: topic } = options.topics.device(device);
    return this.#put(topic, () => {
      const now = deps.board.get(device);
      const payload = now && statePayload(now, (at) => timeOf(deps, at));
      if (!now || payload === undefined) return undefined;
      return {
        topic,
        device,
        payload,
        qos: (now.info.qos ?? options.qos).state,
        expires: true,
        ...(!options.retainState && { retain: false }),
      };
    });
  }

  #health(): Promise<void> {
    const topic = this.#context.options.topics.health;
    return this.#put(topic, () => ({ topic, payload: healthPayload(this.#healthFacts()) }));
  }

  #healthFacts(): HealthFacts {
    const { store, board, bundled, clock } = this.#context.deps;
    const devices = board.all();
    const latestVersion = this.#context.deps.latestVersion?.();
    const consumers = store.outbox.destinations.filter(isConsumer);
    const events = this.#context.events.counts();
    return {
      ...(events && { events }),
      consumers: Object.fromEntries(consumers.map((name) => [name, store.counters(name)])),
      ignoredReceipts: this.#context.receipts.rejected(),
      counters: store.counters(),
      buffer: store.usage(),
      clock: clock.syncState(),
      retained: store.ledger.at(this.#broker).length,
      gateway: this.#context.deps.gateway,
      vitals: this.#context.deps.vitals?.() ?? {},
      ...(latestVersion !== undefined && { latestVersion }),
      faults: [
        ...store.faults(),
        ...(bundled?.faults() ?? []),
        ...(this.#context.deps.faults?.() ?? []),
        ...this.#faults(),
        ...deviceFaults(devices),
      ],
      devices,
      ...(bundled && { broker: bundled.facts() }),
      wallMs: clock.wallMs(),
    };
  }

  /** Devices that were taken out while we were away: nobody else would say that they are gone. */
  async #orphans(): Promise<void> {
    const { deps, options } = this.#context;
    const entries = await deps.store.ledger.topics("all");
    const orphans = entries.filter(
      (entry) =>
        entry.device !== undefined &&
        isAt(this.#broker, entry) &&
        !deps.board.get(entry.device) &&
        entry.topic === options.topics.device(entry.device).status,
    );
    await Promise.all(orphans.map(({ device }) => device !== undefined && this.#deviceStatus(device)));
  }

  #put(key: string, make: () => Outgoing | undefined): Promise<void> {
    return this.#latest.put(key, () => {
      const message = make();
      if (message) this.#said.add(key);
      return this.#send(message);
    });
  }

  async #send(message: Outgoing | undefined): Promise<void> {
    if (!message || this.notes.isOver || this.#forgotten(message)) return;
    const { topic, payload, device, retain = true, qos = 1, expires = false } = message;
    const { deps, options, memory } = this.#context;
    if (retain) await this.notes.add({ topic, broker: this.#broker, ...(device !== undefined && { device }) });
    if (this.notes.isOver || this.#forgotten(message)) return;
    const expirySeconds = Math.ceil((HEARTBEATS_KEPT * options.heartbeatMs) / 1000);
    const publication = { topic, payload, qos, retain, ...(expires && { expirySeconds }) };
    if (await this.#isKeptBack(publication)) return;
    const code = await this.#link.publish(publication, true, memory.suspects.has(publication));
    memory.suspects.acquit(publication);
    memory.banned.delete(topic);
    if (code < REASON.unspecified) {
      memory.forbidden.delete(topic);
    } else if (memory.forbidden.get(topic) !== code) {
      memory.forbidden.set(topic, code);
      deps.log.warn("the broker refuses a topic", { topic, code });
    }
  }

  /** The broker has dropped the link over it, or may be about to: then the link has to hold for a while first. */
  async #isKeptBack(publication: Publication): Promise<boolean> {
    const { memory, deps } = this.#context;
    if (memory.suspects.isOnProbation(publication)) await deps.clock.sleep(PROBATION_MS);
    return publication.payload.length >= (memory.banned.get(publication.topic) ?? Number.POSITIVE_INFINITY);
  }

  #forgotten({ device }: Outgoing): boolean {
    return device !== undefined && this.#context.memory.forgotten.has(device);
  }
}
