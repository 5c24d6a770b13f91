import type { Qos, Version } from "../codec/packets.ts";
import type { Wire } from "../codec/publish.ts";
import type { BrokerLimits } from "../limits.ts";
import type { Message } from "../message.ts";
import type { MountPoint } from "../mount-point.ts";
import type { Journal } from "../persistence/journal.ts";
import { type BrokerStats, heldBytes } from "../stats.ts";
import type { Timers } from "../timers.ts";
import type { Transport } from "../transport.ts";
import type { Turn } from "../turn.ts";
import { Fifo } from "./fifo.ts";
import type { OutgoingAliases } from "./outgoing-aliases.ts";

export interface OutgoingDeps {
  readonly limits: BrokerLimits;
  readonly stats: BrokerStats;
  readonly timers: Timers;
  readonly turn: Turn;
  readonly journal: Journal | undefined;
}

export interface OutgoingEvents {
  /** There is room again. */
  drained(): void;
  /** It dropped for `limits.stallMs`, and nothing was taken meanwhile. */
  stalled(): void;
  /** What it promised cannot be kept: the disk refuses it. */
  refused(): void;
}

/** A packet that waits until what it promises is safe. */
interface Held {
  readonly wire: Wire;
  readonly packetId: number;
  /** The last change it depends on. */
  upTo: number;
}

/** Marks a packet as sent again, beside its packet identifier. */
export const duplicate = 0x10000;

/**
 * What waits for one socket. Packets wait as they are shared with others; they are copied into one buffer, and made
 * this client's own, when the socket takes them.
 */
export class Outgoing {
  version: Version = 4;
  /** What the client takes [MQTT-3.1.2-24]. */
  maxPacketBytes = Number.POSITIVE_INFINITY;
  /** Undefined where the client takes none. */
  aliases: OutgoingAliases | undefined;
  /** Undefined where the client sees topics as they are. */
  mountPoint: MountPoint | undefined;
  readonly #socket: Transport;
  readonly #deps: OutgoingDeps;
  readonly #events: OutgoingEvents;
  #wires: Wire[] = [];
  #packetIds: number[] = [];
  #bytes = 0;
  #held = new Fifo<Held>();
  #heldUpTo = 0;
  #blocked = false;
  /** Written while it is blocked. */
  #writtenBytes = 0;
  #scheduled = false;
  /** Since when it drops without any progress; 0 while it does not. */
  #droppingSinceMs = 0;
  readonly #flushAtEnd = () => {
    this.#scheduled = false;
    this.flush();
  };

  constructor(socket: Transport, deps: OutgoingDeps, events: OutgoingEvents) {
    this.#socket = socket;
    this.#deps = deps;
    this.#events = events;
    socket.on("drain", () => this.#drained());
  }

  /** The peer does not take what is written. */
  get blocked(): boolean {
    return this.#blocked;
  }

  get length(): number {
    return this.#wires.length + this.#held.length;
  }

  /** Something waits until it is safe. */
  get holds(): boolean {
    return this.#held.length > 0;
  }

  /** Room for more that can as well wait where it is. */
  get hasRoom(): boolean {
    return !this.#blocked && this.#held.length === 0 && this.#bytes < flushBytes;
  }

  /** For what is bounded elsewhere: answers, and messages within the window. `packetId` 0 leaves the wire as it is. */
  push(wire: Wire, packetId: number): void {
    if (this.#held.length > 0) this.#hold(wire, packetId);
    else this.#add(wire, packetId);
  }

  /** For what promises that everything up to now outlives the process. What follows waits with it, so the order stays. */
  pushWhenSafe(wire: Wire, packetId: number): void {
    const { journal } = this.#deps;
    if (journal !== undefined && journal.safe < journal.head) {
      this.#heldUpTo = journal.head;
      this.#hold(wire, packetId);
    } else this.push(wire, packetId);
  }

  /** The same for what is told only after it, before the turn ends: then the returned function is to be called. */
  pushBeforeTold(wire: Wire, packetId: number): () => void {
    const { journal } = this.#deps;
    if (journal === undefined) {
      this.push(wire, packetId);
      return () => {};
    }
    const held: Held = { wire, packetId, upTo: Number.POSITIVE_INFINITY };
    this.#deps.stats.queuedBytes += wire.bytes.length;
    this.#held.push(held);
    return () => {
      held.upTo = journal.head;
      this.#heldUpTo = journal.head;
      this.safe(journal.safe);
    };
  }

  /** Called by the journal. */
  safe(upTo: number): void {
    for (let next = this.#held.first; next !== undefined && next.upTo <= upTo; next = this.#held.first) {
      this.#held.shift();
      this.#deps.stats.queuedBytes -= next.wire.bytes.length;
      this.#add(next.wire, next.packetId);
    }
    if (this.#held.length > 0) this.#deps.journal?.wait(this);
    else if (!this.#blocked) this.#events.drained();
  }

  /** Called by the journal. */
  refused(): void {
    this.dropHeld();
    this.#events.refused();
  }

  /** Forgets what promises something that is not safe. */
  dropHeld(): void {
    for (let next = this.#held.shift(); next !== undefined; next = this.#held.shift())
      this.#deps.stats.queuedBytes -= next.wire.bytes.length;
  }

  #hold(wire: Wire, packetId: number): void {
    const { journal, stats } = this.#deps;
    if (this.#held.length === 0) journal?.wait(this);
    this.#held.push({ wire, packetId, upTo: this.#heldUpTo });
    stats.queuedBytes += wire.bytes.length;
  }

  #add(wire: Wire, packetId: number): void {
    this.#wires.push(wire);
    this.#packetIds.push(packetId);
    this.#bytes += wire.bytes.length;
    this.#deps.stats.queuedBytes += wire.bytes.length;
    if (this.#bytes >= flushBytes && !this.#blocked) this.flush();
    else if (!this.#scheduled) {
      this.#scheduled = true;
      this.#deps.turn.atEnd(this.#flushAtEnd);
    }
  }

  /** The PUBLISH in this client's form. Undefined: the topic is none that the client could name. */
  wireOf(
    message: Message,
    qos: Qos,
    retain: boolean,
    subscriptionIds: readonly number[] | undefined,
  ): Wire | undefined {
    return this.mountPoint === undefined
      ? message.wire(this.version, qos, retain, subscriptionIds)
      : this.mountPoint.wire(message, this.version, qos, retain, subscriptionIds);
  }

  /** For QoS 0: dropped and counted where the peer does not read. */
  offer(wire: Wire): void {
    const { limits, stats } = this.#deps;
    if ((this.#blocked || this.#held.length > 0) && this.#isFull(wire.bytes.length, limits, stats)) {
      stats.dropped.slow++;
      this.#dropped();
      return;
    }
    this.publish(wire, 0);
  }

  /** A PUBLISH, counted as such; `whenSafe` as in `pushWhenSafe`. */
  publish(shared: Wire, packetId: number, whenSafe = false): void {
    const { stats } = this.#deps;
    stats.publishesSent++;
    stats.publishBytesSent += shared.bytes.length - shared.payloadStart;
    const wire = this.aliases === undefined ? shared : this.aliases.apply(shared, this.maxPacketBytes);
    if (whenSafe) this.pushWhenSafe(wire, packetId);
    else this.push(wire, packetId);
  }

  /** Writes what waits, if the socket takes it. */
  flush(): void {
    if (this.#blocked || this.#wires.length === 0 || this.#socket.destroyed) return;
    const bytes = this.#gather();
    this.#deps.stats.bytesSent += bytes.length;
    this.#blocked = !this.#socket.write(bytes);
    if (this.#blocked) this.#countWritten(bytes.length);
  }

  /** Forgets what waits: there is nobody left to send it to. */
  discard(): void {
    this.dropHeld();
    this.#countWritten(0);
    this.#forgetWires();
  }

  /** What the socket has and the peer does not take waits too. */
  #countWritten(bytes: number): void {
    this.#deps.stats.queuedBytes += bytes - this.#writtenBytes;
    this.#writtenBytes = bytes;
  }

  #forgetWires(): void {
    this.#deps.stats.queuedBytes -= this.#bytes;
    this.#wires = [];
    this.#packetIds = [];
    this.#bytes = 0;
  }

  #isFull(bytes: number, limits: BrokerLimits, stats: BrokerStats): boolean {
    return (
      this.length >= limits.queuedMessages ||
      this.#bytes + bytes > limits.queuedBytes ||
      heldBytes(stats) + bytes > limits.memoryBytes
    );
  }

  #gather(): Buffer {
    const wires = this.#wires;
    const packetIds = this.#packetIds;
    const gathered = Buffer.allocUnsafe(this.#bytes);
    this.#deps.stats.packetsSent += wires.length;
    this.#forgetWires();
    let at = 0;
    for (let i = 0; i < wires.length; i++) {
      const wire = wires[i] as Wire;
      gathered.set(wire.bytes, at);
      if (wire.packetIdAt >= 0) patchPacketId(gathered, at, wire, packetIds[i] as number);
      if (wire.expiryAt >= 0) this.#patchExpiry(gathered, at, wire);
      at += wire.bytes.length;
    }
    return gathered;
  }

  /** What is left of it [MQTT-3.3.2-6]. */
  #patchExpiry(gathered: Buffer, at: number, wire: Wire): void {
    const leftS = Math.ceil((wire.expiresAtMs - this.#deps.timers.nowMs()) / 1000);
    // It may seem to be more than it was: the broker's time can lose an hour when the machine is switched off.
    gathered.writeUInt32BE(Math.min(Math.max(0, leftS), 0xffffffff), at + wire.expiryAt);
  }

  #drained(): void {
    this.#blocked = false;
    this.#countWritten(0);
    this.#droppingSinceMs = 0;
    this.flush();
    this.#events.drained();
  }

  #dropped(): void {
    const nowMs = this.#deps.timers.nowMs();
    if (this.#droppingSinceMs === 0) this.#droppingSinceMs = nowMs;
    else if (nowMs - this.#droppingSinceMs > this.#deps.limits.stallMs) this.#events.stalled();
  }
}

/** Enough to be worth a write before the turn ends. */
const flushBytes = 65_536;

function patchPacketId(gathered: Buffer, at: number, wire: Wire, packetId: number): void {
  gathered[at + wire.packetIdAt] = packetId >> 8;
  gathered[at + wire.packetIdAt + 1] = packetId & 0xff;
  if (packetId & duplicate) gathered[at] = (gathered[at] as number) | 0x08;
}
