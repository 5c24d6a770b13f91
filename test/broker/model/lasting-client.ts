import type { Packet, Version } from "../../../src/broker/codec/packets.ts";
import { connectPacket, Peer } from "../support/peer.ts";

/** What a client of the model keeps in flight, and allows the broker to. */
export const windowSize = 12;

const neverMs = 3_600_000;

/** A client with a session that outlives connections on both sides: it keeps what MQTT asks it to keep. */
export abstract class LastingClient {
  readonly clientId: string;
  readonly version: Version;
  keepAliveS = 60;
  /** Once the broker acknowledged something in the session, it must be there again. */
  isKnown = false;
  /** The broker refuses what it cannot keep, and may end the connection over it. */
  mayBeRefused = false;
  /** Undefined until the broker let it in. */
  protected peer: Peer | undefined;
  #newest: Peer | undefined;

  constructor(clientId: string, version: Version) {
    this.clientId = clientId;
    this.version = version;
  }

  /** Until the connection ends. Rejects when the broker breaks a promise. */
  async live(port: number): Promise<void> {
    const peer = new Peer({ host: "127.0.0.1", port }, this.version);
    this.#newest = peer;
    const properties = this.version === 5 ? { sessionExpiryInterval: neverMs / 1000, receiveMaximum: windowSize } : {};
    const { clientId, version, keepAliveS } = this;
    peer.send(connectPacket({ clientId, version, keepAliveS, cleanStart: false, properties }));
    try {
      const connack = await peer.next();
      if (connack !== "closed") {
        if (connack.type !== "connack" || connack.reason !== 0) throw new Error(`refused: ${JSON.stringify(connack)}`);
        if (this.isKnown && !connack.sessionPresent) throw new Error(`the session of ${clientId} is gone`);
        this.peer = peer;
        this.connected(peer);
        for (let packet = await peer.next(); packet !== "closed"; packet = await peer.next()) this.#take(packet, peer);
      }
    } finally {
      if (this.peer === peer) this.peer = undefined;
      peer[Symbol.dispose]();
    }
  }

  /** The connection is cut. */
  vanish(): void {
    this.#newest?.socket.destroy();
  }

  /** Says goodbye; the session stays. */
  leave(): void {
    if (this.peer === undefined) this.vanish();
    else this.peer.send({ type: "disconnect", reason: 0, properties: {} }).socket.end();
  }

  /** Neither reads nor says anything any more, and closes the connection only when the returned function is called. */
  freeze(): () => void {
    const socket = this.#newest?.socket.pause();
    return () => socket?.destroy();
  }

  protected abstract connected(peer: Peer): void;
  protected abstract take(packet: Packet, peer: Peer): void;

  #take(packet: Packet, peer: Peer): void {
    if (packet.type === "disconnect" && this.mayBeRefused) return;
    this.take(packet, peer);
  }
}
