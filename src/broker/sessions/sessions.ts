import { reason } from "../codec/reasons.ts";
import type { Message } from "../message.ts";
import type { Identity } from "../options.ts";
import { Session, type SessionDeps, type SessionLink } from "./session.ts";

export interface SessionsDeps extends SessionDeps {
  publishWill(message: Message, session: Session): void;
}

/** Sessions by client id: which one a client gets, and when those end whose client stays away. */
export class Sessions {
  readonly #deps: SessionsDeps;
  readonly #byId = new Map<string, Session>();

  constructor(deps: SessionsDeps) {
    this.#deps = deps;
  }

  /**
   * The session of a client that connects: its own, or a new one. Whoever was connected under its id is disconnected
   * [MQTT-3.1.4-3]; what it had is not handed to another user. Undefined: there is no room for another persistent session, or the disk
   * refuses it.
   */
  open(
    identity: Identity,
    cleanStart: boolean,
    persistent: boolean,
    owner?: string,
  ): { session: Session; present: boolean } | undefined {
    const previous = this.#byId.get(identity.clientId);
    const isOneMore = persistent && !(previous !== undefined && previous.expiryMs > 0);
    if (isOneMore && !this.#hasRoom()) return undefined;
    previous?.link?.end(reason.sessionTakenOver, "another client took its id over");
    const kept = this.#byId.get(identity.clientId);
    const isHis = kept?.identity.username === identity.username && kept?.owner === owner;
    if (kept !== undefined && kept.expiryMs > 0 && !cleanStart && isHis) {
      kept.identity = identity;
      return { session: kept, present: true };
    }
    // Of one that ended with the last process only its will waits, for its client to stay away.
    if (kept?.expiryMs === 0) kept.forgetWill();
    if (kept !== undefined) this.#end(kept); // [MQTT-3.1.2-4]
    const session = new Session(identity, this.#deps, owner);
    this.#byId.set(identity.clientId, session);
    this.#deps.stats.sessions = this.#byId.size;
    return { session, present: false };
  }

  /** Is this id that of a client whose listener vouches for it, and not yours? */
  isReserved(clientId: string, owner: string | undefined): boolean {
    const theirs = this.#byId.get(clientId)?.owner;
    return theirs !== undefined && theirs !== owner;
  }

  /** The client is gone: its will is due unless it took it back, and its session ends or waits. */
  close(session: Session, link: SessionLink): void {
    if (session.link !== link) return;
    session.detach();
    if (this.#byId.get(session.clientId) !== session) return; // cleared
    const willDelayMs = Math.min(session.will?.delayMs ?? 0, session.expiryMs);
    if (willDelayMs <= 0) this.#publishWill(session);
    if (session.expiryMs <= 0) {
      this.#end(session);
      return;
    }
    const { timers } = this.#deps;
    session.recordDetached(timers.nowMs());
    this.#wait(session, willDelayMs, session.expiryMs);
  }

  has(session: Session): boolean {
    return this.#byId.get(session.clientId) === session;
  }

  /** A session that the last process left, or how long it may still wait. */
  restore(session: Session, { willInMs, endsInMs }: { readonly willInMs: number; readonly endsInMs: number }): void {
    session.callOff();
    this.#byId.set(session.clientId, session);
    this.#deps.stats.sessions = this.#byId.size;
    this.#wait(session, willInMs, endsInMs);
  }

  #wait(session: Session, willInMs: number, endsInMs: number): void {
    const { timers } = this.#deps;
    if (session.will !== undefined)
      session.cancelTimers.push(timers.after(Math.max(0, willInMs), () => this.#publishWill(session)));
    if (Number.isFinite(endsInMs))
      session.cancelTimers.push(timers.after(Math.max(0, endsInMs), () => this.#end(session)));
  }

  /** Drops them all, without their wills. What is on the disk stays: this is the broker's end, not theirs. */
  clear(): void {
    for (const session of this.#byId.values()) {
      session.leave();
      session.will = undefined;
      session.unsubscribeAll(); // before any is dropped: what it leaves is still its own, and goes to no other of its shares
    }
    for (const session of this.#byId.values()) session.drop();
    this.#byId.clear();
    this.#deps.stats.sessions = 0;
  }

  /** Nothing is left of it; a will that still waits is due at the latest now (5.0: 3.1.3.2.2). */
  #end(session: Session): void {
    this.#byId.delete(session.clientId);
    this.#deps.stats.sessions = this.#byId.size;
    session.drop();
    this.#publishWill(session);
  }

  #publishWill(session: Session): void {
    const will = session.forgetWill(); // published once [MQTT-3.1.2-10]
    if (will !== undefined) this.#deps.publishWill(will.message(this.#deps.timers.nowMs()), session);
  }

  /** Clients that end with their connection are bounded elsewhere. */
  #hasRoom(): boolean {
    if (this.#deps.journal?.failure) return false;
    if (this.#byId.size < this.#deps.limits.sessions) return true;
    let persistent = 0;
    for (const session of this.#byId.values()) if (session.expiryMs > 0) persistent++;
    return persistent < this.#deps.limits.sessions;
  }
}
