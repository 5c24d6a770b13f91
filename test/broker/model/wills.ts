import type { Version } from "../../../src/broker/codec/packets.ts";
import { connectPacket, Peer } from "../support/peer.ts";

/** Clients that leave a will, and what became of it. */
export class Wills {
  /** Of clients that were let in and did not come back: each is due once. */
  readonly #due = new Set<string>();
  readonly #published = new Set<string>();
  #startedMs = 0;
  #wereLate = false;

  /** The broker is started: for some seconds from now on clients that come back have not been away. */
  started(): void {
    this.#wereLate = this.#areLate();
    this.#startedMs = performance.now();
  }

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
    if (name.startsWith("never")) {
      if (!this.#areLate()) throw new Error(`the will ${name} came though its client did`);
    } else this.#published.add(name);
  }

  /** On a machine too busy to bring them back in time, their wills may come. */
  #areLate(): boolean {
    return this.#wereLate || (this.#startedMs > 0 && performance.now() - this.#startedMs > promptMs);
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

/** Less than what the broker waits for them (see `restore.ts`). */
const promptMs = 8000;
