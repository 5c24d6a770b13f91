import type { Clock } from "../../core/clock.ts";
import { isGatewayError } from "../../core/errors.ts";
import type { RetainedMessage } from "../../core/topics.ts";
import { isAt } from "../../store/store.ts";
import { brokerIdentity } from "../broker-identity.ts";
import type { Context } from "../state.ts";
import { type RetainedReader, readRetained } from "./retained.ts";

/** Home Assistant takes discovery in one at a time; a hundred at once make it lose states. */
const PAUSE_MS = 20;
/**
 * It must have taken a device's components in before it hears of the device again: of a message that meets one of them still
 * on its way, it drops those behind that one (discovery.py, async_discovery_message_received).
 */
const TAKEN_IN_MS = 1000;

/**
 * Sends discovery messages one after the other, each with what must be said before it. Those that take the place of others
 * go out between the word of that on the others' topics and their clearing. It may end anywhere: the topics are in the ledger
 * before they are touched, and the same things once more do no harm.
 */
export class Discovery {
  readonly #reader: RetainedReader;
  readonly #context: Context;
  readonly #put: (message: RetainedMessage) => Promise<void>;
  /** When something was last said on a topic. */
  readonly #saidMs = new Map<string, number>();
  #turn: Promise<void> = Promise.resolve();

  constructor(reader: RetainedReader, context: Context, put: (message: RetainedMessage) => Promise<void>) {
    this.#reader = reader;
    this.#context = context;
    this.#put = put;
  }

  /** Of one device, of the gateway (`undefined`), or of all. Rejects with the signal's reason. */
  announce(of: { readonly device: string | undefined } | "all", signal: AbortSignal): Promise<void> {
    const next = this.#turn.catch(() => undefined).then(() => this.#announce(of, signal));
    this.#turn = next;
    return next;
  }

  async #announce(of: { readonly device: string | undefined } | "all", signal: AbortSignal): Promise<void> {
    const { clock, discovery, discovered } = this.#context.deps;
    const messages = discovery().filter((message) => of === "all" || message.device === of.device);
    const replacing = messages.flatMap(({ before: _, replaces = [], ...by }) =>
      replaces.map((old): RetainedMessage => ({ ...by, ...old })),
    );
    for (const old of replacing) await this.#say(old, PAUSE_MS, clock, signal);
    if (replacing.length > 0) await clock.sleep(TAKEN_IN_MS, signal);
    for (const { before = [], ...message } of messages) {
      for (const payload of before) await this.#say({ ...message, payload }, TAKEN_IN_MS, clock, signal);
      await this.#say(message, PAUSE_MS, clock, signal);
      discovered?.(message);
    }
    if (replacing.length === 0) return;
    await clock.sleep(TAKEN_IN_MS, signal);
    for (const old of replacing) await this.#say({ ...old, payload: "" }, PAUSE_MS, clock, signal);
    await this.#gone(replacing, signal);
  }

  /** The broker is asked for each topic whether it is empty now. Rules that do not let us: then they are not, for us. */
  async #gone(replaced: readonly RetainedMessage[], signal: AbortSignal): Promise<void> {
    const { deps } = this.#context;
    const broker = brokerIdentity(this.#reader.link.url, deps.gateway);
    const left = await this.#left(replaced.map(({ topic }) => topic));
    signal.throwIfAborted();
    for (const { topic, device } of replaced) {
      if (left.has(topic)) deps.log.warn("a topic whose place is taken could not be cleared", { topic });
      else {
        await deps.store.ledger.cleared(topic, broker);
        deps.replaced?.(topic, device);
      }
    }
  }

  async #left(topics: readonly string[]): Promise<Pick<ReadonlySet<string>, "has">> {
    try {
      return await readRetained(this.#reader, topics);
    } catch (error) {
      if (!isGatewayError(error, "BROKER_REFUSED")) throw error;
      return new Set(topics);
    }
  }

  async #say(message: RetainedMessage, pauseMs: number, clock: Clock, signal: AbortSignal): Promise<void> {
    const restMs = (this.#saidMs.get(message.topic) ?? Number.NEGATIVE_INFINITY) + TAKEN_IN_MS - clock.monoMs();
    if (restMs > 0) await clock.sleep(restMs, signal);
    await this.#put(message);
    this.#saidMs.set(message.topic, clock.monoMs());
    await clock.sleep(pauseMs, signal);
  }
}

/**
 * Discovery that the ledger says is there and the broker has not, while it still has what the device's own `config` says:
 * somebody cleared it while we were away. A broker that lost its memory lost both.
 */
export async function tellMissing(reader: RetainedReader, { options, deps }: Context): Promise<void> {
  const { ledger } = deps.store;
  const broker = brokerIdentity(reader.link.url, deps.gateway);
  const known = new Set((await ledger.topics("all")).filter((entry) => isAt(broker, entry)).map(({ topic }) => topic));
  const pairs = deps.discovery().map(({ topic, device }) => ({
    topic,
    witness: device === undefined ? options.topics.info : options.topics.device(device).config,
  }));
  const asked = pairs.filter(({ topic, witness }) => known.has(topic) && known.has(witness));
  if (asked.length === 0 || !deps.missing) return;
  try {
    const kept = await readRetained(reader, [...new Set(asked.flatMap(({ topic, witness }) => [topic, witness]))]);
    for (const { topic, witness } of asked) {
      if (!kept.has(topic) && kept.has(witness)) deps.missing(topic);
    }
  } catch (error) {
    // Rules that do not let us read are no reason to keep quiet.
    if (!isGatewayError(error, "BROKER_REFUSED")) throw error;
  }
}
