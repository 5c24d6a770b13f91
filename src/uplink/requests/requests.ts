import { type ErrorCode, GatewayError, isGatewayError } from "../../core/errors.ts";
import type { Log } from "../../core/log.ts";
import type { Incoming, Publication } from "../link.ts";
import type { Subscription } from "../state.ts";
import { type AnswerRules, answerTopic } from "./answer-topic.ts";
import { jsonOf } from "./json.ts";

/**
 * What can be asked over MQTT: `request/<name>`, the answer on the response topic that MQTT 5 names, else on
 * `response/<name>`. A handler gets the request's JSON (`{}` where there was none) and throws a GatewayError to refuse.
 */
export type RequestHandler = (request: Readonly<Record<string, unknown>>) => Promise<Readonly<Record<string, unknown>>>;

const REQUEST_MAX_BYTES = 16 * 1024;
/** Asked and not answered yet; the others are told to come again. */
const UNANSWERED_MAX = 8;

interface RequestParts extends AnswerRules {
  readonly log: Log;
  readonly handlers: ReadonlyMap<string, RequestHandler>;
  publish(message: Omit<Publication, "retain">): Promise<void>;
}

export class Requests {
  readonly subscription: Subscription;
  readonly #parts: RequestParts;
  #unanswered = 0;

  constructor(parts: RequestParts) {
    this.#parts = parts;
    this.subscription = { filter: parts.topics.request("+"), onMessage: (message) => this.#take(message) };
  }

  #take(message: Incoming): void {
    // A request that the broker kept is nobody's wish any more.
    if (message.retained) return;
    const name = message.topic.slice(this.#parts.topics.request("").length);
    this.#answer(name, message).catch((error) => {
      if (!isGatewayError(error)) throw error;
      this.#parts.log.warn("a request could not be answered", { name, error: error.message });
    });
  }

  async #answer(name: string, message: Incoming): Promise<void> {
    const { topics, log } = this.#parts;
    const fallback = topics.response(name.slice(0, 64));
    const topic = message.responseTopic === undefined ? fallback : answerTopic(message.responseTopic, this.#parts);
    if (topic === undefined) {
      const asked = message.responseTopic?.slice(0, 100);
      return log.warn("a request names a response topic that is not answered on", { name, topic: asked });
    }
    const { correlationData } = message;
    const payload = JSON.stringify(await this.#handled(name, message));
    await this.#parts.publish({ topic, payload, qos: 1, ...(correlationData && { correlationData }) });
  }

  async #handled(name: string, { payload }: Incoming): Promise<Readonly<Record<string, unknown>>> {
    const handler = this.#parts.handlers.get(name);
    if (!handler) return refusal("REQUEST_UNKNOWN", `there is no request ${JSON.stringify(name.slice(0, 64))}`);
    const request = payload.length === 0 ? {} : jsonOf(payload, REQUEST_MAX_BYTES);
    if (!request) return refusal("REQUEST_INVALID", `expected a JSON object of at most ${REQUEST_MAX_BYTES} bytes`);
    if (this.#unanswered >= UNANSWERED_MAX) return refusal("REQUEST_BUSY", "too many requests at a time: ask again");
    this.#unanswered++;
    try {
      return { ok: true, ...(await handler(request)) };
    } catch (error) {
      if (!isGatewayError(error)) throw error;
      return refusal(error.code, error.message);
    } finally {
      this.#unanswered--;
    }
  }
}

export function refusal(code: ErrorCode, message: string): Readonly<Record<string, unknown>> {
  return { ok: false, error: { code, message } };
}

/** For handlers: what is wrong with a request. */
export function invalidRequest(message: string): GatewayError {
  return new GatewayError("REQUEST_INVALID", message);
}
