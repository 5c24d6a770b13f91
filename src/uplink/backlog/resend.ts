import { isGatewayError } from "../../core/errors.ts";
import type { StoredRecord } from "../../core/reading.ts";
import type { Link } from "../link.ts";
import type { Context } from "../state.ts";
import { DESTINATION } from "./destination.ts";
import { awaitedLater, Pace } from "./pace.ts";
import { readingMessage } from "./reading-message.ts";
import type { Receipts } from "./receipts.ts";

/** So many at a time to begin with; a consumer that keeps up gets more. */
const WINDOW_FIRST = 50;
const WINDOW_LEAST = 10;
const WINDOW_MOST = 1000;
/** A consumer that never answers is asked ever less often. */
const PATIENCE_MOST_MS = 3_600_000;
/** Who says again where it is has just come back; what the broker kept for it may still be on the way. */
const GRACE_MS = 2000;
const CHECK_MS = 1000;

/**
 * Sends again what a consumer has not confirmed: the broker has taken it, but may have kept it for nobody. A window at a
 * time, and the next one when that is confirmed, because what is too much for the broker's queue is lost once more.
 */
export class Resender {
  readonly #consumer: string;
  readonly #link: Link;
  readonly #context: Context;
  readonly #pace: Pace | undefined;
  #window = WINDOW_FIRST;
  #patienceMs: number;
  /** When the consumer last moved its cursor, or what it has to confirm came up. */
  #sinceMonoMs: number;

  constructor(consumer: string, link: Link, context: Context, receipts: Receipts, signal: AbortSignal) {
    const { options, deps } = context;
    this.#consumer = consumer;
    this.#link = link;
    this.#context = context;
    this.#pace = options.drainRate === undefined ? undefined : new Pace(options.drainRate, deps.clock);
    this.#patienceMs = options.receiptTimeoutMs;
    this.#sinceMonoMs = deps.clock.monoMs();
    const stop = receipts.onReceipt(consumer, (moved) => this.#heard(moved));
    signal.addEventListener("abort", stop, { once: true });
  }

  async run(signal: AbortSignal): Promise<never> {
    const { clock } = this.#context.deps;
    for (;;) {
      if (this.#behind() === 0) this.#sinceMonoMs = clock.monoMs();
      else if (clock.monoMs() - this.#sinceMonoMs >= this.#patienceMs) await this.#sendAgain(signal);
      await clock.sleep(Math.min(CHECK_MS, this.#context.options.receiptTimeoutMs / 4), signal);
    }
  }

  #heard(moved: boolean): void {
    const { clock } = this.#context.deps;
    this.#patienceMs = this.#context.options.receiptTimeoutMs;
    const graceMs = Math.min(GRACE_MS, this.#patienceMs);
    this.#sinceMonoMs = moved
      ? clock.monoMs()
      : Math.min(this.#sinceMonoMs, clock.monoMs() - this.#patienceMs + graceMs);
  }

  /** How far the consumer is behind the broker. */
  #behind(): number {
    const { outbox } = this.#context.deps.store;
    return Math.max(0, outbox.cursor(DESTINATION) - outbox.cursor(this.#consumer));
  }

  async #sendAgain(signal: AbortSignal): Promise<void> {
    const records = await this.#unconfirmed();
    const last = records.at(-1);
    if (!last) return;
    const sent: Promise<unknown>[] = [];
    for (const record of records) {
      if (this.#pace) await this.#pace.take(signal);
      sent.push(awaitedLater(this.#link.publish(readingMessage(record, true, this.#context), false)));
    }
    await Promise.all(sent);
    const isConfirmed = await this.#confirmed(last.position, signal);
    const { log } = this.#context.deps;
    log.debug("sent again", { consumer: this.#consumer, readings: records.length, confirmed: isConfirmed });
    if (isConfirmed) {
      this.#window = Math.min(WINDOW_MOST, this.#window * 2);
      // The next window at once: the consumer is there.
      this.#sinceMonoMs = Number.NEGATIVE_INFINITY;
    } else {
      this.#window = Math.max(WINDOW_LEAST, Math.floor(this.#window / 2));
      this.#patienceMs = Math.min(PATIENCE_MOST_MS, this.#patienceMs * 2);
      this.#sinceMonoMs = this.#context.deps.clock.monoMs();
    }
  }

  async #unconfirmed(): Promise<readonly StoredRecord[]> {
    const { outbox } = this.#context.deps.store;
    try {
      const records = await outbox.after(outbox.cursor(this.#consumer), this.#window, this.#consumer);
      return records.filter(({ position }) => position <= outbox.cursor(DESTINATION));
    } catch (error) {
      if (!isGatewayError(error)) throw error;
      return [];
    }
  }

  /** Until the consumer has it, or has not moved for as long as our patience lasts. */
  async #confirmed(position: number, signal: AbortSignal): Promise<boolean> {
    const { clock, store } = this.#context.deps;
    const patienceMs = this.#patienceMs;
    let cursor = store.outbox.cursor(this.#consumer);
    let movedMonoMs = clock.monoMs();
    while (cursor < position && clock.monoMs() - movedMonoMs < patienceMs) {
      await clock.sleep(20, signal);
      const now = store.outbox.cursor(this.#consumer);
      if (now > cursor) movedMonoMs = clock.monoMs();
      cursor = now;
    }
    return cursor >= position;
  }
}
