import type { Version } from "../../../src/broker/codec/packets.ts";
import { connectPacket, Peer } from "../support/peer.ts";

/** Clients that leave a will, and what became of it. */
export class Wills {
  /** Of clients that were let in and did not come back: each is due once. */
  readonly #due = new Set<string>();
  readonly #published = new Set<string>();

  /** A client connects with a will to `w/NAME`, and stays until the connection ends, or `cut` ends it. */
  async leave(port: number, name: string, version: Version, cut?: AbortSignal): Promise<void> {
    using peer = this.#connect(port, `will-${name}`, `w/${name}`, version);
    if ((await peer.next()) === "closed") return;
    this.#due.add(name);
    cut?.addEventListener("abort", () => peer.socket.destroy());
    if (cut?.aborted) peer.socket.destroy();
    await peer.next();
  }

  /** The same client each time, which always comes back: nobody may hear its will. Whether it was let in. */
  async comeBack(port: number, version: Version, connected: () => void): Promise<void> {
    using peer = this.#connect(port, `returning-${version}`, `w/never-${version}`, version);
    if ((await peer.next()) === "closed") return;
    connected();
    await peer.next();
  }

  async takeBack(port: number, version: Version): Promise<void> {
    using peer = this.#connect(port, `returning-${version}`, `w/never-${version}`, version);
    await peer.nextOf("connack");
    peer.send({ type: "disconnect", reason: 0, properties: {} });
    await peer.untilClosed();
  }

  take(topic: string): void {
    const name = topic.slice("w/".length);
    if (this.#published.has(name)) throw new Error(`the will ${name} came twice`);
    if (name.startsWith("never")) throw new Error(`the will ${name} came though its client did`);
    this.#published.add(name);
  }

  get published(): number {
    return this.#published.size;
  }

  missing(): string[] {
    return [...this.#due].filter((name) => !this.#published.has(name));
  }

  #connect(port: number, clientId: string, topic: string, version: Version): Peer {
    const peer = new Peer({ host: "127.0.0.1", port }, version);
    const will = { topic, payload: Buffer.from("gone"), qos: 2, retain: false, properties: {} } as const;
    return peer.send(connectPacket({ clientId, version, will }));
  }
}
