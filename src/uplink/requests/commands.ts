import type { Command } from "../../core/command.ts";
import { GatewayError, isGatewayError } from "../../core/errors.ts";
import type { Log } from "../../core/log.ts";
import type { Incoming, Link, Publication } from "../link.ts";
import { clearRetained } from "../live/retained.ts";
import type { Subscription } from "../state.ts";
import { type AnswerRules, answerTopic } from "./answer-topic.ts";
import { parseCommand } from "./command-payload.ts";
import { refusal } from "./requests.ts";

/** Carries a command out; rejects with the GatewayError that kept it from that. No channel: the device's only output. */
export type CommandHandler = (device: string, channel: string | undefined, command: Command) => Promise<void>;

interface CommandParts extends AnswerRules {
  readonly log: Log;
  readonly handler: CommandHandler;
  publish(message: Omit<Publication, "retain">): Promise<void>;
}

/** Given and not carried out yet: who floods us is told so. */
const UNFINISHED_MAX = 32;

/**
 * Commands for outputs, on `<dev>/set` and `<dev>/<channel>/set`. What was done shows in the state, which is read back; who
 * names a response topic (MQTT 5) gets `{"ok": true}` or the refusal there, too. A retained command would switch a pump at
 * every connection: it is refused and cleared. Under MQTT 3.1.1 a broker shows that only to new subscriptions.
 */
export class Commands {
  readonly subscriptions: readonly Subscription[];
  readonly #parts: CommandParts;
  #unfinished = 0;

  constructor(parts: CommandParts) {
    this.#parts = parts;
    const device = parts.topics.device("+");
    const onMessage = (message: Incoming, link: Link) => void this.#take(message, link);
    this.subscriptions = [device.set, device.channelSet("+")].map((filter) => ({
      filter,
      onMessage,
      retainAsPublished: true,
    }));
  }

  async #take(message: Incoming, link: Link): Promise<void> {
    // That is how a retained one is cleared.
    if (message.payload.length === 0) return;
    const { log } = this.#parts;
    try {
      await this.#obey(message, link);
      await this.#answer(message, { ok: true });
    } catch (error) {
      if (!isGatewayError(error)) throw error;
      log.warn("a command was refused", {
        topic: message.topic.slice(0, 200),
        code: error.code,
        reason: error.message,
      });
      await this.#answer(message, refusal(error.code, error.message));
    }
  }

  async #obey({ topic, payload, retained }: Incoming, link: Link): Promise<void> {
    if (retained) {
      await this.#clear(topic, link);
      throw new GatewayError("COMMAND_REFUSED", "it is retained, and would be given again at every connection");
    }
    if (this.#unfinished >= UNFINISHED_MAX) throw new GatewayError("REQUEST_BUSY", "too many commands at a time");
    const [device = "", channel] = topic.slice(this.#parts.topics.root.length).split("/").slice(0, -1);
    this.#unfinished++;
    try {
      await this.#parts.handler(device, channel, parseCommand(payload));
    } finally {
      this.#unfinished--;
    }
  }

  /** Where it cannot be cleared (no right to, no connection any more) it is refused again the next time. */
  async #clear(topic: string, link: Link): Promise<void> {
    try {
      await clearRetained(link, [topic]);
    } catch (error) {
      if (!isGatewayError(error)) throw error;
      this.#parts.log.warn("a retained command could not be cleared", {
        topic: topic.slice(0, 200),
        reason: error.message,
      });
    }
  }

  async #answer(message: Incoming, answer: Readonly<Record<string, unknown>>): Promise<void> {
    const { correlationData, responseTopic } = message;
    const topic = responseTopic === undefined ? undefined : answerTopic(responseTopic, this.#parts);
    if (topic === undefined) return;
    try {
      const payload = JSON.stringify(answer);
      await this.#parts.publish({ topic, payload, qos: 1, ...(correlationData && { correlationData }) });
    } catch (error) {
      if (!isGatewayError(error)) throw error;
      this.#parts.log.warn("a command could not be answered", { topic, reason: error.message });
    }
  }
}
