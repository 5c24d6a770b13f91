import type { Clock } from "../core/clock.ts";
import type { GatewayError } from "../core/errors.ts";
import type { Publication } from "./link.ts";

/** A broker that dislikes a message says so at once; a link lost later was lost for another reason. */
const SUSPICION_MS = 5000;

/** Something the broker has to answer. */
export interface Pending {
  readonly reject: (error: GatewayError) => void;
  readonly message?: Publication;
  sentMonoMs: number;
}

/** What waits to be sent over one connection, and what waits for its answer. */
export class Outstanding {
  readonly #clock: Clock;
  /** In the order of sending. */
  readonly #sent = new Set<Pending>();
  readonly #waiting = new Set<Pending>();

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
    pending.sentMonoMs = this.#clock.monoMs();
    this.#waiting.delete(pending);
    this.#sent.add(pending);
  }

  settled(pending: Pending): void {
    this.#sent.delete(pending);
  }

  rejectAll(error: GatewayError): void {
    for (const pending of [...this.#sent, ...this.#waiting]) pending.reject(error);
    this.#sent.clear();
    this.#waiting.clear();
  }
}
