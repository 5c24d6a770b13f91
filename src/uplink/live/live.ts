import type { BoardChange } from "../../core/board.ts";
import { isGatewayError } from "../../core/errors.ts";
import { isAt } from "../../store/store.ts";
import { brokerIdentity } from "../broker-identity.ts";
import { type Context, timeOf } from "../state.ts";
import { Discovery } from "./discovery.ts";
import { healthFacts } from "./health-facts.ts";
import { LedgerNotes } from "./ledger-notes.ts";
import {
  configPayload,
  type Fault,
  type HealthFacts,
  healthPayload,
  healthSignature,
  infoPayload,
  statePayload,
} from "./payloads.ts";
import type { RetainedReader } from "./retained.ts";
import { LiveSender } from "./sender.ts";

/** A state that follows discovery sooner finds nobody subscribed (0 of 100 at 0 s, 79 at 0.2 s, all at 0.5 s). */
const SETTLE_MS = 750;

/** What is true now, on retained topics, over one connection. */
export class LivePlane {
  /** Whose ledger is kept. */
  readonly #broker: string;
  readonly #context: Context;
  readonly #faults: () => readonly Fault[];
  readonly #sender: LiveSender;
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
    this.#broker = brokerIdentity(reader.link.url, context.deps.gateway);
    this.notes = new LedgerNotes(context.deps.store.ledger);
    this.#sender = new LiveSender({ link: reader.link, broker: this.#broker, context, notes: this.notes }, failed);
    this.#context = context;
    this.#faults = faults;
    this.#discovery = new Discovery(reader, context, (message) => {
      const { device } = message;
      if (device !== undefined && context.deps.board.get(device)?.health.state === "starting") {
        this.#unopened.add(device);
      }
      return this.#sender.put(message.topic, () => message);
    });
  }

  /** The broker publishes our last will from the moment we are connected, whatever we have said by then. */
  async noteWill(): Promise<void> {
    const { deps, options } = this.#context;
    try {
      await this.notes.add({ topic: options.topics.status, broker: this.#broker });
    } catch (error) {
      if (!isGatewayError(error)) throw error;
      deps.log.warn("the last will's topic is not in the ledger", { error: error.message });
    }
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
    const unsaid = (topic: string) => !this.#sender.hasSaid(topic);
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
    let told = healthSignature(this.#facts());
    let toldMonoMs = clock.monoMs();
    for (;;) {
      await clock.sleep(soonestMs, signal);
      const signature = healthSignature(this.#facts());
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
    return this.#sender.settled();
  }

  gatewayStatus(): Promise<void> {
    const { status } = this.#context.options.topics;
    return this.#sender.put(status, () => {
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
    return this.#sender.put(options.topics.info, () => {
      const devices = deps.board.all().map(({ info }) => info);
      const startedWallMs = deps.clock.wallMs() - (deps.clock.monoMs() - memory.startedMonoMs);
      return { topic: options.topics.info, payload: infoPayload(deps.gateway, startedWallMs, devices) };
    });
  }

  #config(device: string): Promise<void> {
    const { config: topic } = this.#context.options.topics.device(device);
    return this.#sender.put(topic, () => {
      const info = this.#context.deps.board.get(device)?.info;
      return info && { topic, device, payload: configPayload(info) };
    });
  }

  #deviceStatus(device: string): Promise<void> {
    const { status: topic } = this.#context.options.topics.device(device);
    return this.#sender.put(topic, () => {
      const online = this.#context.deps.board.get(device)?.health.online === true;
      return { topic, device, payload: online ? "online" : "offline", expires: online };
    });
  }

  #state(device: string): Promise<void> {
    const { options, deps } = this.#context;
    if (!options.publish.state) return Promise.resolve();
    const { state: topic } = options.topics.device(device);
    return this.#sender.put(topic, () => {
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

  #facts(): HealthFacts {
    return healthFacts(this.#context, this.#broker, this.#faults());
  }

  #health(): Promise<void> {
    const topic = this.#context.options.topics.health;
    return this.#sender.put(topic, () => ({ topic, payload: healthPayload(this.#facts()) }));
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
}
