import { encodeDisconnect } from "./codec/disconnect.ts";
import type { Version } from "./codec/packets.ts";
import type { Wire } from "./codec/publish.ts";
import { ProtocolFault, reason, UnansweredFault } from "./codec/reasons.ts";
import type { BrokerContext } from "./context.ts";
import { type Door, doorOf } from "./door.ts";
import { encodeExplained } from "./explain.ts";
import { handleFirstPacket } from "./handlers/connect.ts";
import { handlePacket } from "./handlers/packet.ts";
import { MountPoint } from "./mount-point.ts";
import { type Identity, type ListenerOptions, nameOf } from "./options.ts";
import { Parser } from "./parser.ts";
import { RateLimit } from "./rate.ts";
import type { Topic } from "./routing/topic-table.ts";
import { Outgoing } from "./sessions/outgoing.ts";
import type { Session, SessionLink } from "./sessions/session.ts";
import { countRefusal, countRejection, heldBytes } from "./stats.ts";
import type { Certified, Transport } from "./transport.ts";
import { plainWire } from "./wires.ts";

export type ClientState = "new" | "authenticating" | "open" | "ended";

/** One connection, from its first byte to its last. */
export class Client implements SessionLink {
  readonly broker: BrokerContext;
  readonly listener: ListenerOptions;
  readonly address: string;
  readonly outgoing: Outgoing;
  readonly parser: Parser;
  state: ClientState = "new";
  version: Version = 4;
  /** It asked for reasons in words. */
  explains = false;
  identity: Identity | undefined;
  /** Undefined until CONNECT was accepted: whoever has no session is not served. */
  session: Session | undefined;
  /** What the client lets stand for which topic; by alias, so the first is unused. */
  readonly topicAliases: (Topic | undefined)[] = [];
  /** QoS 2 messages that came a second time by this connection, and were not released since. */
  readonly repeated = new Set<number>();
  /** Undefined where topics are as they are. */
  readonly mountPoint: MountPoint | undefined;
  /** The session expiry that CONNECT asked for, which DISCONNECT cannot raise from 0. */
  connectExpiryS = 0;
  readonly publishRate: RateLimit | undefined;
  /** What it is counted under when it never becomes a client. */
  door: Door = "gone";
  /** Why it goes, for the log; set once. */
  #why: string | undefined;
  readonly certified: Certified | undefined;
  readonly #socket: Transport;
  #lastHeardMs: number;
  #cancelTimer: () => void = () => {};

  constructor(
    socket: Transport,
    listener: ListenerOptions,
    address: string,
    broker: BrokerContext,
    certified?: Certified,
  ) {
    this.broker = broker;
    this.listener = listener;
    this.address = address;
    this.certified = certified;
    this.#socket = socket;
    this.#lastHeardMs = broker.timers.nowMs();
    const { publishRate } = broker.limits;
    this.publishRate = Number.isFinite(publishRate) ? new RateLimit(publishRate, this.#lastHeardMs) : undefined;
    if (listener.mountPoint) this.mountPoint = new MountPoint(listener.mountPoint);
    this.outgoing = new Outgoing(socket, broker, {
      drained: () => this.#drained(),
      refused: () => this.end(reason.quotaExceeded, "what it sent cannot be made safe: the disk refuses it"),
      stalled: () => this.endSoon(reason.quotaExceeded, "it does not read what waits for it"),
    });
    this.outgoing.mountPoint = this.mountPoint;
    const take = (first: number, bytes: Buffer, start: number, end: number) => this.#take(first, bytes, start, end);
    this.parser = new Parser(broker.limits.packetBytes, take, (bytes) => this.#account(bytes));
    socket.setNoDelay(true);
    socket.on("data", (chunk: Buffer) => this.#received(chunk));
    socket.on("error", (error) => this.#gone(error.message));
    socket.on("close", () => this.#gone(closedByPeer));
    const { connectTimeoutMs } = broker.limits;
    this.#cancelTimer = broker.timers.after(connectTimeoutMs, () => {
      this.door = "timeout";
      this.drop("no CONNECT in time");
    });
  }

  /** CONNECT was accepted. */
  opened(session: Session, keepAliveS: number): void {
    this.state = "open";
    this.session = session;
    this.#cancelTimer();
    if (keepAliveS > 0) this.#watch(keepAliveS * 1500); // [MQTT-3.1.2-22]: one and a half times
  }

  /** Stops taking packets until `resume`. */
  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#guard(() => this.parser.resume());
    this.#socket.resume();
  }

  /** Sends these bytes behind what waits. False: they are more than the client takes [MQTT-3.1.2-24], or it is gone. */
  send(bytes: Buffer): boolean {
    if (this.state === "ended" || bytes.length > this.outgoing.maxPacketBytes) return false;
    this.outgoing.push(plainWire(bytes), 0);
    return true;
  }

  /** An acknowledgement, which waits for what it acknowledges: whatever changed since `head`. */
  acknowledge(wire: Wire, packetId: number, head: number | undefined): void {
    if (this.broker.journal?.head === head) this.outgoing.push(wire, packetId);
    else this.outgoing.pushWhenSafe(wire, packetId);
  }

  /** As `send`, once every change so far is safe. */
  sendWhenSafe(bytes: Buffer): boolean {
    if (this.state === "ended" || bytes.length > this.outgoing.maxPacketBytes) return false;
    this.outgoing.pushWhenSafe(plainWire(bytes), 0);
    return true;
  }

  /** Ends it with a reason code, which only MQTT 5.0 tells the client. */
  end(code: number, why: string): void {
    if (this.state === "ended") return;
    this.outgoing.dropHeld();
    if (this.version === 5 && this.state === "open")
      this.send(encodeExplained(this, { type: "disconnect", reason: code, properties: {} }, why, encodeDisconnect));
    this.endUnanswered(code, why);
  }

  /** As `end`, but the client is not told. */
  endUnanswered(code: number, why: string): void {
    if (this.state === "ended") return;
    this.outgoing.dropHeld();
    countRefusal(this.broker.stats, code);
    this.door = doorOf(code);
    this.drop(why);
  }

  /** Ends it where its certificate was revoked, or its user is gone from the password file or has another password. */
  recheck(isChanged: (passwordFile: string, user: string) => boolean): void {
    if (this.certified?.isRevoked()) this.end(reason.notAuthorized, "its certificate was revoked");
    const { passwordFile } = this.listener;
    const username = this.identity?.username;
    if (passwordFile !== undefined && username !== undefined && isChanged(passwordFile, username))
      this.end(reason.notAuthorized, "its user was removed or has another password");
  }

  endSoon(code: number, why: string): void {
    this.broker.turn.atEnd(() => this.end(code, why));
  }

  /** Ends it without another word, but for what was sent. */
  drop(why: string): void {
    if (this.state === "ended") return;
    this.outgoing.flush();
    this.#gone(why);
    this.#socket.end();
    this.#socket.resume(); // what it still says is read and forgotten, so that closing does not reset the connection
    this.#cancelTimer = this.broker.timers.after(lingerMs, () => this.#socket.destroy());
  }

  /** Ends it as the broker stops: nobody is waited for who does not read. */
  stop(): void {
    this.end(reason.serverShuttingDown, "the broker stops");
    if (this.outgoing.blocked) this.#socket.destroy();
    else this.#socket.destroySoon();
  }

  #received(chunk: Buffer): void {
    this.broker.stats.bytesReceived += chunk.length;
    if (this.state === "ended") return;
    this.#lastHeardMs = this.broker.timers.nowMs();
    this.#guard(() => this.parser.feed(chunk));
    if ((this.outgoing.blocked || this.outgoing.holds) && this.outgoing.length > maxAnswers) this.pause();
    else if (this.broker.journal?.congested && this.outgoing.holds) this.pause(); // read on when they are safe
  }

  #take(first: number, bytes: Buffer, start: number, end: number): boolean {
    this.broker.stats.packetsReceived++;
    if (this.state === "open") handlePacket(this, first, bytes, start, end);
    else handleFirstPacket(this, first, bytes, start, end);
    return this.state === "open";
  }

  /** What is held of a packet that is not complete. */
  #account(bytes: number): void {
    const { stats, limits } = this.broker;
    if (bytes > 0 && heldBytes(stats) + bytes > limits.memoryBytes)
      throw new ProtocolFault(reason.quotaExceeded, "the broker has no memory left for what it sends");
    stats.receivingBytes += bytes;
  }

  #guard(run: () => void): void {
    try {
      run();
    } catch (error) {
      if (!(error instanceof ProtocolFault)) throw error;
      if (error instanceof UnansweredFault) this.endUnanswered(error.reason, error.message);
      else this.end(error.reason, error.message);
    }
  }

  /** Wakes when the client would be overdue had it not been heard since; no work is done a packet. */
  #watch(silenceMs: number): void {
    const { timers } = this.broker;
    const leftMs = this.#lastHeardMs + silenceMs - timers.nowMs();
    if (leftMs <= 0) this.end(reason.keepAliveTimeout, "it was silent past its keep alive");
    else this.#cancelTimer = timers.after(leftMs, () => this.#watch(silenceMs));
  }

  #drained(): void {
    if (this.state === "open") {
      this.#socket.resume();
      this.session?.continueReplays();
    }
  }

  /** However it ended: the session is told, once. */
  #gone(why: string): void {
    if (this.#why !== undefined) {
      if (this.#socket.closed) this.#cancelTimer();
      return;
    }
    this.#why = why;
    const { session, identity } = this;
    // A port scan or a health check is no client that was refused.
    const isProbe = this.state === "new" && why === closedByPeer;
    this.state = "ended";
    this.outgoing.discard();
    this.parser.release();
    this.#cancelTimer();
    if (session === undefined) {
      if (isProbe) return;
      countRejection(this.broker.stats, this.door);
      this.broker.log.warn("connection refused", {
        reason: why,
        address: this.address,
        ...(identity && nameOf(identity)),
      });
      return;
    }
    this.broker.stats.clients--;
    this.broker.log.info("client disconnected", { ...(identity && nameOf(identity)), reason: why });
    this.broker.sessions.close(session, this);
  }
}

const closedByPeer = "the connection was closed";

/** Answers that may wait for a client that does not read them, or for the disk, before it is not read either. */
const maxAnswers = 10_000;

/** How long a peer may take to read the last words. */
const lingerMs = 2000;
