import type { Duplex } from "node:stream";
import mqtt, { type IClientOptions, type IConnackPacket, type IPublishPacket, type MqttClient } from "mqtt";
import type { Clock } from "../../core/clock.ts";
import { GatewayError } from "../../core/errors.ts";
import type { Incoming, Link, LinkEnd, Protocol, Publication, Qos, SubscribeOptions } from "../link.ts";
import { REASON } from "../link.ts";
import type { ConnectOutcome } from "../state.ts";
import { parseAddress } from "./address.ts";
import { clientOptions, nothingStored } from "./client-options.ts";
import { type ConnectOptions, unusableTls } from "./connect-options.ts";
import { Gate } from "./gate.ts";
import { Outstanding, type Pending } from "./outstanding.ts";
import { OwnIds } from "./packet-ids.ts";
import { layoutOf, type PublishLayout } from "./publish-packet.ts";
import { refusalOf } from "./refusal.ts";
import { Wire } from "./wire.ts";

/** More would be memory without gain. */
const OUTSTANDING_MAX = 10_000;
const END_WAIT_MS = 1000;

/**
 * Connects once; resolves with the link or with why there is none, and rejects only with the signal's reason. A client
 * of mqtt.js lives for one connection: its reconnection, its queue and its store are all out of use, because they give
 * up on a refused CONNACK, replay one message at a time, and know nothing of what the outbox already has.
 */
export async function connectMqtt(options: ConnectOptions, clock: Clock, signal: AbortSignal): Promise<ConnectOutcome> {
  signal.throwIfAborted();
  const address = parseAddress(options.url);
  const unusable = unusableTls(address, options.tls);
  if (unusable) return { refused: refusalOf(address.shown, unusable) };
  const outgoingStore = nothingStored as unknown as NonNullable<IClientOptions["outgoingStore"]>;
  const settings: IClientOptions = { ...clientOptions(address, options), outgoingStore, manualConnect: true };
  const client = mqtt.connect(settings);
  const wire = wired(client);
  let error: Error | undefined;
  const keepFirst = (found: Error) => {
    error ??= found;
  };
  client.on("error", keepFirst);
  // mqtt.js keeps quiet about stream errors without an errno, such as a web socket's refused upgrade.
  client.stream.on("error", keepFirst);
  // What a session has kept may come in one piece with the CONNACK.
  if (options.onMessage) client.on("message", incoming(options.onMessage));
  let elsewhere: string | undefined;
  client.on("packetreceive", (packet) => {
    if (packet.cmd === "connack") elsewhere = packet.properties?.serverReference;
  });

  return await new Promise<ConnectOutcome>((resolve, reject) => {
    const abort = () => {
      client.end(true);
      reject(signal.reason);
    };
    signal.addEventListener("abort", abort, { once: true });
    client.once("connect", (connack) => {
      signal.removeEventListener("abort", abort);
      resolve({ link: new MqttLink(client, wire, connack, options, address.shown, clock) });
    });
    client.once("close", () => {
      signal.removeEventListener("abort", abort);
      client.end(true);
      resolve({ refused: refusalOf(address.shown, error, elsewhere) });
    });
  });
}

/** Connects. mqtt.js names no place where something could come between it and its socket, but asks this one. */
function wired(client: MqttClient): Wire {
  const inner = client as unknown as { streamBuilder(client: MqttClient): Duplex };
  const open = inner.streamBuilder;
  let wire: Wire | undefined;
  inner.streamBuilder = (of) => {
    wire = new Wire(open(of));
    return wire;
  };
  client.connect();
  if (!wire) throw new Error("mqtt.js opened no socket");
  return wire;
}

class MqttLink implements Link {
  readonly url: string;
  readonly protocol: Protocol;
  readonly receiveMaximum: number;
  readonly maximumPacketSize: number;
  readonly maximumQos: Qos;
  readonly retainAvailable: boolean;
  readonly closed: Promise<LinkEnd>;

  readonly #client: MqttClient;
  readonly #wire: Wire;
  readonly #clock: Clock;
  readonly #gate: Gate;
  readonly #outstanding: Outstanding;
  readonly #over = new AbortController();
  /** What waits for a PUBACK, by packet id. */
  readonly #ids = new OwnIds<(code: number) => void>();
  #acknowledgedWith: number = REASON.success;
  #ownReason: string | undefined;
  #saidReason: { message: string; code?: number } | undefined;

  constructor(
    client: MqttClient,
    wire: Wire,
    connack: IConnackPacket,
    options: ConnectOptions,
    url: string,
    clock: Clock,
  ) {
    const facts = connack.properties ?? {};
    this.#client = client;
    this.#wire = wire;
    this.#clock = clock;
    this.#outstanding = new Outstanding(clock);
    this.url = url;
    this.protocol = options.protocol;
    this.receiveMaximum = Math.min(facts.receiveMaximum ?? OUTSTANDING_MAX, OUTSTANDING_MAX);
    this.maximumPacketSize = facts.maximumPacketSize ?? Number.POSITIVE_INFINITY;
    this.maximumQos = facts.maximumQoS === 0 || facts.maximumQoS === 1 ? facts.maximumQoS : 2;
    this.retainAvailable = facts.retainAvailable !== false;
    // mqtt.js ignores the server's receive maximum.
    this.#gate = new Gate(this.receiveMaximum);
    wire.underWay = () => this.#ids.size;
    wire.onPuback = (id, code) => {
      const answered = this.#ids.take(id);
      answered?.(code);
      return answered !== undefined;
    };
    // mqtt.js gives the callback what its store had, not the acknowledgement; it does so before the next packet.
    client.on("packetreceive", (packet) => {
      const code = "reasonCode" in packet ? packet.reasonCode : undefined;
      this.#acknowledgedWith = code ?? REASON.success;
    });
    client.on("disconnect", ({ reasonCode = 0, properties }) => {
      const code = `0x${reasonCode.toString(16).padStart(2, "0")}`;
      const elsewhere = properties?.serverReference ? `; it names another server: ${properties.serverReference}` : "";
      const message = `the broker ended the connection (reason ${code})${elsewhere}`;
      this.#saidReason = { message, code: reasonCode };
    });
    client.on("error", (error) => {
      this.#saidReason ??= { message: error.message };
      // A keep-alive without an answer is the network's silence, not the broker's word.
      if (error.message === "Keepalive timeout") this.#ownReason ??= "no answer within the keep-alive time";
      client.stream.destroy();
    });
    this.closed = new Promise((resolve) => client.once("close", () => resolve(this.#finish())));
    void this.#watch(options.ackTimeoutMs);
  }

  publish(message: Publication, urgent: boolean, alone = false): Promise<number> {
    return this.#ask((pending, resolve) => this.#submit(message, urgent, alone, pending, resolve), message);
  }

  send(message: Publication, alone: boolean, answered: (code: number) => void): void {
    if (this.#over.signal.aborted) return;
    const pending: Pending = { message, sentMonoMs: 0 };
    this.#outstanding.wait(pending);
    this.#submit(message, false, alone, pending, answered);
  }

  #submit(
    message: Publication,
    urgent: boolean,
    alone: boolean,
    pending: Pending,
    resolve: (code: number) => void,
  ): void {
    const qos = lower(message.qos, this.maximumQos);
    const layout = layoutOf(message, qos, this.protocol);
    if (layout.whole > this.maximumPacketSize) {
      this.#outstanding.withdrawn(pending);
      queueMicrotask(() => resolve(REASON.packetTooLarge));
      return;
    }
    const answered = (code: number) => {
      this.#outstanding.settled(pending);
      if (qos > 0) this.#gate.leave();
      resolve(code);
    };
    const send = () => {
      this.#outstanding.sending(pending);
      if (qos === 1) this.#publish(message, layout, answered);
      else this.#publishByClient(message, qos, pending, answered);
    };
    if (qos > 0) this.#gate.enter(urgent, send, alone);
    else send();
  }

  #publish(message: Publication, layout: PublishLayout, answered: (code: number) => void): void {
    const retain = message.retain === true && this.retainAvailable;
    this.#wire.publish(layout, message, retain, this.#ids.give(answered));
  }

  #publishByClient(message: Publication, qos: Qos, pending: Pending, answered: (code: number) => void): void {
    this.#client.publish(message.topic, message.payload, this.#publishOptions(message, qos), (error?: Error) => {
      const code = error ? reasonOf(error) : qos > 0 ? this.#acknowledgedWith : REASON.success;
      // Without an answer it is still under way when the connection ends.
      if (code === undefined) pending.reject?.(this.#lost());
      else answered(code);
    });
  }

  #publishOptions(message: Publication, qos: Qos) {
    const { expirySeconds, correlationData } = message;
    const properties = {
      ...(expirySeconds !== undefined && { messageExpiryInterval: expirySeconds }),
      ...(correlationData && { correlationData: Buffer.from(correlationData) }),
    };
    return { qos, retain: message.retain === true && this.retainAvailable, properties };
  }

  subscribe(
    filters: readonly string[],
    { qos: wanted = 1, retainAsPublished: rap = false }: SubscribeOptions = {},
  ): Promise<void> {
    if (filters.length === 0) return Promise.resolve();
    return this.#ask((pending, resolve) => {
      this.#outstanding.sending(pending);
      const qos = lower(wanted, this.maximumQos);
      this.#client.subscribe([...filters], { qos, rap }, (error) => {
        this.#outstanding.settled(pending);
        if (!error) resolve();
        else pending.reject?.(reasonOf(error) === undefined ? this.#lost() : refusedFilter(filters, error));
      });
    });
  }

  unsubscribe(filters: readonly string[]): Promise<void> {
    if (filters.length === 0) return Promise.resolve();
    return this.#ask((pending, resolve) => {
      this.#outstanding.sending(pending);
      this.#client.unsubscribe([...filters], (error) => {
        this.#outstanding.settled(pending);
        if (error) pending.reject?.(this.#lost());
        else resolve();
      });
    });
  }

  onMessage(listener: (message: Incoming) => void): () => void {
    const handler = incoming(listener);
    this.#client.on("message", handler);
    return () => this.#client.off("message", handler);
  }

  async end(): Promise<void> {
    if (this.#over.signal.aborted) return;
    this.#ownReason ??= "closed by us";
    // It says DISCONNECT once nothing is outstanding; cut off before, the broker would publish our will.
    this.#ids.whenEmpty(() => this.#client.end(false));
    const timer = setTimeout(() => this.#client.stream.destroy(), END_WAIT_MS);
    await this.closed;
    clearTimeout(timer);
  }

  abort(message: string): void {
    this.#ownReason ??= message;
    this.#client.end(true);
  }

  #ask<T>(start: (pending: Pending, resolve: (value: T) => void) => void, message?: Publication): Promise<T> {
    if (this.#over.signal.aborted) return Promise.reject(this.#lost());
    return new Promise((resolve, reject) => {
      const pending: Pending = { reject, sentMonoMs: 0, ...(message && { message }) };
      this.#outstanding.wait(pending);
      start(pending, resolve);
    });
  }

  /** mqtt.js leaves the callbacks of a lost connection uncalled. */
  #finish(): LinkEnd {
    const end: LinkEnd = {
      ...(this.#ownReason ? { message: this.#ownReason } : { message: "the connection was lost", ...this.#saidReason }),
      byBroker: this.#ownReason === undefined,
      unanswered: this.#outstanding.unanswered,
    };
    this.#over.abort();
    this.#gate.clear();
    this.#outstanding.rejectAll(this.#lost());
    this.#client.end(true);
    return end;
  }

  async #watch(ackTimeoutMs: number): Promise<void> {
    const { signal } = this.#over;
    while (!signal.aborted) {
      if (this.#outstanding.oldestMs >= ackTimeoutMs) this.abort(`no acknowledgement within ${ackTimeoutMs / 1000} s`);
      await this.#clock.sleep(Math.min(1000, ackTimeoutMs), signal).catch(() => {});
    }
  }

  #lost(): GatewayError {
    return new GatewayError("BROKER_UNREACHABLE", `the connection to ${this.url} has ended`);
  }
}

/** A listener in the words of mqtt.js. */
function incoming(listener: (message: Incoming) => void) {
  return (topic: string, payload: Buffer, packet: IPublishPacket) => {
    const { responseTopic, correlationData } = packet.properties ?? {};
    listener({
      topic,
      payload,
      retained: packet.retain,
      qos: packet.qos,
      ...(responseTopic !== undefined && { responseTopic }),
      ...(correlationData && { correlationData }),
    });
  };
}

function lower(qos: Qos, maximum: Qos): Qos {
  return qos > maximum ? maximum : qos;
}

/** The broker's refusal; undefined for errors of mqtt.js itself, which all mean that the connection is gone. */
function reasonOf(error: Error & { code?: unknown }): number | undefined {
  return typeof error.code === "number" ? error.code : undefined;
}

function refusedFilter(filters: readonly string[], cause: Error): GatewayError {
  return new GatewayError("BROKER_REFUSED", `the subscription to ${filters.join(", ")} was refused`, { cause });
}
