import type { Clock } from "../../core/clock.ts";
import type { GatewayError } from "../../core/errors.ts";
import type { Publication } from "../link.ts";

/** A broker that dislikes a message says so at once; a link lost later was lost for another reason. */
const SUSPICION_MS = 5000;

/** Something the broker has to answer. */
export interface Pending {
  /** Absent where nobody waits for the end of the link here. */
  readonly reject?: (error: GatewayError) => void;
  readonly message?: Publication;
  sentMonoMs: number;
}

/** What waits to be sent over one connection, and what waits for its answer. */
export class Outstanding {
  readonly #clock: Clock;
  /** In the order of sending. */
  readonly #sent = new Set<Pending>();
  readonly #waiting = new Set<Pending>();
  #nowMonoMs: number | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** How long the oldest has been waiting for its answer; 0 when nothing is. */
  get oldestMs(): number {
    const [oldest] = this.#sent;
    return oldest ? this.#clock.monoMs() - oldest.sentMonoMs : 0;
  }

  /** Messages that were sent a moment ago and not answered, in the order of sending. */
  get unanswered(): Publication[] {
    const sinceMonoMs = this.#clock.monoMs() - SUSPICION_MS;
    return [...this.#sent].flatMap(({ message, sentMonoMs }) =>
      message && sentMonoMs >= sinceMonoMs ? [message] : [],
    );
  }

  wait(pending: Pending): void {
    this.#waiting.add(pending);
  }

  sending(pending: Pending): void {
    pending.sentMonoMs = this.#now();
    this.#waiting.delete(pending);
    this.#sent.add(pending);
  }

  /** The same for all that are sent in one go: a look at the clock takes as long as writing the packet. */
  #now(): number {
    if (this.#nowMonoMs === undefined) {
      this.#nowMonoMs = this.#clock.monoMs();
      queueMicrotask(() => {
        this.#nowMonoMs = undefined;
      });
    }
    return this.#nowMonoMs;
  }

  /** It is not sent after all. */
  withdrawn(pending: Pending): void {
    this.#waiting.delete(pending);
  }

  settled(pending: Pending): void {
    this.#sent.delete(pending);
  }

  rejectAll(error: GatewayError): void {
    for (const pending of [...this.#sent, ...this.#waiting]) pending.reject?.(error);
    this.#sent.clear();
    this.#waiting.clear();
  }
}
