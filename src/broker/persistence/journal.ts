import { type GatewayError, isGatewayError, messageOf } from "../../core/errors.ts";
import type { Log } from "../../core/log.ts";
import type { WorkerHost } from "../../sqlite/worker-host.ts";
import type { Timers } from "../timers.ts";
import type { Turn } from "../turn.ts";
import { ChangeWriter } from "./change-writer.ts";
import type { Changes } from "./changes.ts";
import { Chunks } from "./chunks.ts";
import { openWorker } from "./open-persistence.ts";
import { byWallClock, type MachineClock, ownTime, timeMark } from "./own-time.ts";
import type { Loaded, PersistenceCalls, Taken, TimeMark } from "./persistence-calls.ts";
import { Staging } from "./staging.ts";
import type { Waiter } from "./waiter.ts";

export interface PersistenceOptions {
  /** Where the database is. */
  readonly directory: string;
  /** On memory that outlives the process. Only used with a window. */
  readonly stagingPath: string;
  /** What a power cut may cost at most. 0: on the disk before each acknowledgement. */
  readonly windowMs: number;
}

export interface JournalDeps {
  readonly clock: MachineClock;
  readonly log: Log;
  readonly timers: Timers;
  readonly turn: Turn;
}

/**
 * What the broker keeps over a restart, on its way to the disk. Each turn's changes go there in one piece: with a window by
 * way of the staging file, which makes them safe at once; without one straight into SQLite, one commit at a time, so that
 * turns which end during a commit share the next one.
 */
export class Journal implements AsyncDisposable {
  readonly #deps: JournalDeps;
  readonly #options: PersistenceOptions;
  #worker: WorkerHost<PersistenceCalls>;
  readonly #writer = new ChangeWriter();
  readonly #waiters = new Set<Waiter>();
  #staging: Staging | undefined;
  #generation: number;
  readonly #chunks = new Chunks();
  /** Up to which change they were handed on. */
  #sent = 0;
  /** Neither staged nor known to be on the disk: a new worker gets them again. */
  #unstaged: { readonly chunk: Buffer; readonly upTo: number }[] = [];
  /** Workers that were started in place of dead ones since the database was last well. */
  #restarts = 0;
  #scheduled = false;
  /** The worker has a call of ours. */
  #busy: Promise<void> | undefined;
  /** The worker has changes that the disk does not have. */
  #waiting = false;
  #lastId: number;
  /** How many changes were handed on: the others are of this turn. */
  #taken = 0;
  #safe = 0;
  #failure: GatewayError | undefined;
  #markedMs = Number.NEGATIVE_INFINITY;
  #cancelTimer: () => void = () => {};
  #cancelBeat: () => void = () => {};
  /** Where the time stood before the machine was off for nobody knows how long. */
  #before: TimeMark | undefined;
  /** Called once it is known that the machine was off for so much longer than `ownMs` says. */
  onOffTime: (ms: number) => void = () => {};
  readonly #endTurn = () => {
    this.#scheduled = false;
    this.#turnEnded();
  };

  private constructor(
    options: PersistenceOptions,
    deps: JournalDeps,
    worker: WorkerHost<PersistenceCalls>,
    loaded: Loaded,
  ) {
    this.#options = options;
    this.#deps = deps;
    this.#worker = worker;
    this.#lastId = loaded.lastId;
    this.#generation = loaded.generation + 1;
    this.#writer.offsetMs = ownTime(loaded.mark, deps.clock) - deps.timers.nowMs();
    if (options.windowMs > 0) {
      this.#staging = new Staging(options.stagingPath, loaded.instance, this.#generation);
      this.#check();
    }
    const { mark } = loaded;
    if (mark && mark.boot !== deps.clock.bootId() && byWallClock(mark, deps.clock) === undefined) this.#before = mark;
    this.#beat();
  }

  /** Throws GatewayError: STORE_LOCKED, STORE_NEWER, STORE_IO. A damaged database is moved aside, which is only logged. `changes` is what was there. */
  static async open(
    options: PersistenceOptions,
    deps: JournalDeps,
  ): Promise<{ readonly journal: Journal; readonly changes: readonly Uint8Array[] }> {
    const { worker, loaded } = await openWorker(options, deps, "all");
    return { journal: new Journal(options, deps, worker, loaded), changes: loaded.changes };
  }

  /** Where changes are told. They are safe at the end of the turn at the earliest. */
  get changes(): Changes {
    if (!this.#scheduled) {
      this.#scheduled = true;
      this.#deps.turn.beforeEnd(this.#endTurn);
    }
    return this.#writer;
  }

  /** How many changes there were, and up to which they are safe. */
  get head(): number {
    return this.#writer.count;
  }

  get safe(): number {
    return this.#safe;
  }

  /** Why nothing new is taken: the disk refuses it. */
  get failure(): GatewayError | undefined {
    return this.#failure;
  }

  /** More waits for the disk than should. */
  get congested(): boolean {
    return this.#chunks.bytes + this.#writer.length > congestedBytes && this.#safe < this.head;
  }

  get ownMs(): number {
    return this.toOwn(this.#deps.timers.nowMs());
  }

  /** From the timers' time to the broker's own timeline. */
  toOwn(timerMs: number): number {
    return timerMs + this.#writer.offsetMs;
  }

  fromOwn(ownMs: number): number {
    return ownMs - this.#writer.offsetMs;
  }

  /** The machine was off, for how long will be known once the clock is synced. */
  get lacksOffTime(): boolean {
    return this.#before !== undefined;
  }

  nextId(): number {
    return ++this.#lastId;
  }

  /** Told when everything up to now is safe, or will not be. */
  wait(waiter: Waiter): void {
    this.#waiters.add(waiter);
  }

  /** So many topics at most, on which nothing retained was published for so long. Rejects with what the disk said. */
  async retainedFor(ageMs: number, limit: number): Promise<string[]> {
    await this.flush();
    return await this.#worker.call("retainedBefore", this.ownMs - ageMs, limit);
  }

  /** Resolves when everything up to now is on the disk, or cannot be. */
  async flush(): Promise<void> {
    this.#turnEnded();
    while (this.#busy !== undefined) await this.#busy;
    this.#send(true);
    while (this.#busy !== undefined) await this.#busy;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.flush();
    this.#cancelTimer();
    this.#cancelBeat();
    this.#staging?.close();
    await this.#worker[Symbol.asyncDispose]();
  }

  #turnEnded(): void {
    if (this.#writer.length === 0) return;
    const chunk = this.#writer.take();
    this.#taken = this.head;
    this.#chunks.push(chunk);
    if (this.#stage(chunk)) {
      this.#becomeSafe(this.head);
      if (this.#staging && this.#staging.bytes > stagedBytes) this.#send(true);
      else if (this.#chunks.bytes > chunkBytes) this.#send(false);
    } else {
      this.#unstaged.push({ chunk, upTo: this.head });
      this.#send(true);
    }
    const compact = this.#chunks.compactIfDue();
    if (compact) this.#replaceUnsent(compact);
  }

  #replaceUnsent(chunk: Buffer): void {
    const handedOn = this.#unstaged.filter(({ upTo }) => upTo <= this.#sent);
    if (handedOn.length < this.#unstaged.length) this.#unstaged = [...handedOn, { chunk, upTo: this.#taken }];
  }

  #stage(chunk: Buffer): boolean {
    if (this.#staging === undefined || this.#failure || this.#unstaged.length > 0) return false;
    try {
      this.#staging.append(chunk);
      return true;
    } catch (error) {
      this.#deps.log.warn("changes cannot be staged, each goes to the disk at once", { reason: messageOf(error) });
      this.#staging.close();
      this.#staging = undefined;
      return false;
    }
  }

  /** Hands the changes so far to the worker, unless it is at work: then they follow with its answer. */
  #send(now: boolean): void {
    if (this.#busy || this.#failure || (this.#chunks.length === 0 && !this.#waiting)) return;
    const generation = this.#generation++;
    this.#staging?.next(this.#generation);
    const chunks = this.#chunks.take();
    this.#sent = this.#taken;
    const upTo = this.#taken;
    const mark = this.#markIfDue();
    const facts = { generation, now, nowMs: this.ownMs, ...(mark && { mark }) };
    this.#busy = this.#answered(this.#worker.call("take", chunks, facts), upTo, now);
  }

  async #answered(answer: Promise<Taken>, upTo: number, now: boolean): Promise<void> {
    try {
      const { generation, waiting } = await answer;
      this.#waiting = waiting;
      if (!waiting) this.#unstaged = this.#unstaged.filter((one) => one.upTo > upTo);
      this.#staging?.forget(generation);
      this.#busy = undefined;
      this.#recovered();
      if (now) this.#becomeSafe(upTo);
      if (this.#staging === undefined && this.#chunks.length > 0) this.#send(true);
    } catch (error) {
      this.#busy = undefined;
      this.#waiting = true;
      this.#failed(error, upTo);
    }
  }

  #failed(error: unknown, upTo: number): void {
    if (!isGatewayError(error)) throw error;
    const isNew = this.#failure === undefined;
    this.#failure = error;
    if (isNew) {
      this.#deps.log.error("the broker's database has a fault", { code: error.code, message: error.message });
      const waiters = [...this.#waiters];
      this.#waiters.clear();
      for (const waiter of waiters) waiter.refused();
    }
    this.#cancelTimer();
    this.#cancelTimer = this.#deps.timers.after(retryMs, () => {
      if (this.#worker.alive) this.#busy = this.#answered(this.#worker.call("flush"), upTo, true);
      else if (this.#restarts < maxRestarts) this.#busy = this.#restart();
    });
  }

  /** A new worker in place of a dead one finds on the disk and in the staging files what was safe, and is told the rest again. */
  async #restart(): Promise<void> {
    this.#restarts++;
    this.#staging?.close();
    let opened: { worker: WorkerHost<PersistenceCalls>; loaded: Loaded };
    try {
      opened = await openWorker(this.#options, this.#deps, "nothing");
    } catch (error) {
      this.#busy = undefined;
      this.#failed(error, this.#taken);
      return;
    }
    const { worker, loaded } = opened;
    this.#worker = worker;
    const generation = loaded.generation + 1;
    this.#generation = generation + 1;
    if (this.#staging) this.#staging = new Staging(this.#options.stagingPath, loaded.instance, this.#generation);
    const again = Buffer.concat(this.#unstaged.map(({ chunk }) => chunk));
    this.#chunks.clear();
    this.#sent = this.#taken;
    const facts = { generation, now: true, nowMs: this.ownMs, isRepeated: true };
    this.#busy = this.#answered(worker.call("take", again, facts), this.#taken, true);
  }

  #recovered(): void {
    if (this.#failure === undefined) return;
    this.#failure = undefined;
    this.#restarts = 0;
    this.#deps.log.info("the broker's database is well again");
    if (this.#options.windowMs > 0) this.#check();
    if (this.#chunks.length > 0) this.#send(true);
  }

  #becomeSafe(upTo: number): void {
    this.#safe = Math.max(this.#safe, upTo);
    if (this.#waiters.size === 0) return;
    const waiters = [...this.#waiters];
    this.#waiters.clear();
    for (const waiter of waiters) waiter.safe(this.#safe);
  }

  /** Several times a window the worker looks whether something grew too old for it. */
  #check(): void {
    const periodMs = Math.min(1000, this.#options.windowMs / 5);
    this.#cancelTimer = this.#deps.timers.after(periodMs, () => {
      this.#send(this.#staging === undefined);
      this.#check();
    });
  }

  /** Notes the time though nothing happens, and how long the machine was off once a synced clock tells. */
  #beat(): void {
    this.#cancelBeat = this.#deps.timers.after(beatMs, () => {
      this.#learnOffTime();
      if (this.#deps.timers.nowMs() - this.#markedMs >= idleMarkMs) this.#waiting = true;
      if (this.#waiting) this.#send(true);
      this.#beat();
    });
  }

  #learnOffTime(): void {
    const trueMs = this.#before && byWallClock(this.#before, this.#deps.clock);
    if (trueMs === undefined) return;
    this.#before = undefined;
    if (trueMs > this.ownMs) this.onOffTime(trueMs - this.ownMs);
    this.onOffTime = () => {};
  }

  #markIfDue(): TimeMark | undefined {
    const nowMs = this.#deps.timers.nowMs();
    if (nowMs - this.#markedMs < markPeriodMs) return undefined;
    this.#markedMs = nowMs;
    return timeMark(this.ownMs, this.#deps.clock);
  }
}

/** Past it, the database stays at fault until the process starts again: what kills each worker will kill the next. */
const maxRestarts = 5;
/** Room for a burst while the card syncs; past it, who publishes is not read. */
const congestedBytes = 16 * 1024 * 1024;
const stagedBytes = 16 * 1024 * 1024;
const chunkBytes = 1024 * 1024;
const retryMs = 1000;
/** How often the time goes with what is written anyway, and by itself: what a power cut may take of it. */
const markPeriodMs = 60_000;
const idleMarkMs = 3_600_000;
const beatMs = 60_000;
