import { isGatewayError } from "../../core/errors.ts";
import type { DeviceEvent, EventCounts } from "../../core/event.ts";
import type { Topics } from "../../core/topics.ts";
import { type Link, REASON } from "../link.ts";
import { timeOf, type UplinkDeps } from "../state.ts";
import { eventPayload } from "./payloads.ts";

/** A light that goes on a minute after its button was pressed is worse than one that does not. */
const LASTS_MS = 5000;
const WAITING_MAX = 64;
/** So many wait for their acknowledgement at a time: behind a broker that hangs the others grow old here, not there. */
const UNDER_WAY_MAX = 8;

type Deps = Pick<UplinkDeps, "clock" | "log" | "store">;

/**
 * Events on their way to the broker: in order, and within seconds or not at all. One whose acknowledgement was lost with
 * the connection is not sent again: twice, it would be two presses.
 */
export class Events {
  readonly #topics: Topics;
  readonly #deps: Deps;
  readonly #link: () => Link | undefined;
  #waiting: DeviceEvent[] = [];
  #underWay = 0;
  #delivered = 0;
  readonly #dropped = new Map<string, number>();

  constructor(topics: Topics, deps: Deps, link: () => Link | undefined) {
    this.#topics = topics;
    this.#deps = deps;
    this.#link = link;
  }

  tell(event: DeviceEvent): void {
    this.#waiting.push(event);
    this.#forgetOld();
    if (this.#waiting.length > WAITING_MAX) {
      this.#waiting.shift();
      this.#drop("too_many");
    }
    this.#send();
  }

  connected(): void {
    this.#send();
  }

  /** Undefined while there was none. */
  counts(): EventCounts | undefined {
    this.#forgetOld();
    if (this.#delivered + this.#dropped.size === 0) return undefined;
    return { delivered: this.#delivered, dropped: Object.fromEntries(this.#dropped) };
  }

  #send(): void {
    this.#forgetOld();
    const link = this.#link();
    while (link && this.#underWay < UNDER_WAY_MAX) {
      const event = this.#waiting.shift();
      if (!event) return;
      void this.#publish(event, link);
    }
  }

  async #publish(event: DeviceEvent, link: Link): Promise<void> {
    const { device, channel, at } = event;
    const message = {
      topic: this.#topics.device(device).event(channel),
      payload: eventPayload(event, timeOf(this.#deps, at)),
      qos: 1,
      // What a broker keeps for somebody who is away gets no older than this either.
      expirySeconds: Math.max(1, Math.ceil((LASTS_MS - this.#ageMs(event)) / 1000)),
    } as const;
    this.#underWay++;
    try {
      const code = await link.publish(message, true);
      if (code < REASON.unspecified) this.#delivered++;
      else this.#refused(message.topic, code);
    } catch (error) {
      if (!isGatewayError(error)) throw error;
      this.#drop("connection_lost");
    } finally {
      this.#underWay--;
    }
    this.#send();
  }

  #refused(topic: string, code: number): void {
    if (!this.#dropped.has("refused")) this.#deps.log.warn("the broker refuses an event", { topic, code });
    this.#drop("refused");
  }

  #forgetOld(): void {
    const young = this.#waiting.filter((event) => this.#ageMs(event) <= LASTS_MS);
    for (let old = this.#waiting.length - young.length; old > 0; old--) this.#drop("too_old");
    this.#waiting = young;
  }

  #ageMs({ at }: DeviceEvent): number {
    return this.#deps.clock.monoMs() - at.monoMs;
  }

  #drop(reason: string): void {
    this.#dropped.set(reason, (this.#dropped.get(reason) ?? 0) + 1);
  }
}
