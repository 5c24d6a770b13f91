import { type Broker, type BrokerDeps, openBroker } from "../../../src/broker/broker.ts";
import type { ConnectPacket, Qos, SubscriptionRequest, Version } from "../../../src/broker/codec/packets.ts";
import type { Properties } from "../../../src/broker/codec/properties.ts";
import type { BrokerOptions } from "../../../src/broker/options.ts";
import type { Log, LogFields } from "../../../src/core/log.ts";
import { type Accepted, connectPacket, Peer } from "./peer.ts";
import { FakeTimers } from "./timers.ts";

/** A broker on a free port, its time standing still, with its log kept. */
export interface TestBroker extends AsyncDisposable {
  readonly broker: Broker;
  readonly port: number;
  readonly timers: FakeTimers;
  readonly logged: readonly { readonly message: string; readonly fields: LogFields | undefined }[];
  /** A connection on which nothing was sent yet. */
  dial(version?: Version): Peer;
  dialPath(path: string): Peer;
  /** A client that was let in. */
  join(clientId: string, version: Version, with_?: Partial<ConnectPacket>): Promise<Peer>;
  accepted(packet: ConnectPacket): Promise<Accepted>;
}

export async function openTestBroker(
  options: Partial<BrokerOptions> = {},
  deps: Partial<BrokerDeps> = {},
): Promise<TestBroker> {
  const timers = new FakeTimers();
  const logged: { message: string; fields: LogFields | undefined }[] = [];
  const keep = (message: string, fields?: LogFields) => void logged.push({ message, fields });
  const log: Log = { debug: keep, info: keep, warn: keep, error: keep, part: () => log };
  const broker = await openBroker(
    { listeners: [{ address: "127.0.0.1", port: 0 }], ...options },
    { log, timers, ...deps },
  );
  const { port } = broker.addresses[0] as { readonly port: number };
  const peers: Peer[] = [];
  const keepPeer = (peer: Peer) => {
    peers.push(peer);
    return peer;
  };
  const dial = (version: Version = 5) => keepPeer(new Peer({ host: "127.0.0.1", port }, version));
  const accepted = async (packet: ConnectPacket) => {
    const peer = dial(packet.version).send(packet);
    const connack = await peer.nextOf("connack");
    if (connack.reason !== 0) throw new Error(`refused with ${connack.reason}`);
    return { peer, connack };
  };
  return {
    broker,
    port,
    timers,
    logged,
    dial,
    dialPath: (path) => keepPeer(new Peer({ path }, 5)),
    accepted,
    join: async (clientId, version, with_) => (await accepted(connectPacket({ clientId, version, ...with_ }))).peer,
    async [Symbol.asyncDispose]() {
      for (const peer of peers) peer[Symbol.dispose]();
      await broker[Symbol.asyncDispose]();
    },
  };
}

/** Subscribes and returns the reasons of the SUBACK. */
export async function subscribe(
  peer: Peer,
  filter: string,
  with_: Partial<SubscriptionRequest> & { qos?: Qos } = {},
  properties: Properties = {},
): Promise<readonly number[]> {
  const request = { filter, qos: 0, noLocal: false, retainAsPublished: false, retainHandling: 0, ...with_ } as const;
  peer.send({ type: "subscribe", packetId: 7, subscriptions: [request], properties });
  return (await peer.nextOf("suback")).reasons;
}
