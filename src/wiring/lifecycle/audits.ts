import type { Config } from "../../config/schema/config.ts";
import type { Clock } from "../../core/clock.ts";
import { GatewayError } from "../../core/errors.ts";
import type { Random } from "../../core/random.ts";
import { discoveryTopic } from "../../core/topics.ts";
import { type AuditFacts, audit, type Finding, inClearingOrder, isOurs, oldOnes } from "../../lifecycle/audit.ts";
import { clearAndSee } from "../../lifecycle/clear.ts";
import { type DeadResult, decommissionOf } from "../../lifecycle/dead-gateway.ts";
import { isAt, type RetainedLedger } from "../../store/store.ts";
import type { UplinkOptions } from "../../uplink/options.ts";
import { Call } from "./departure.ts";

export interface AuditsParts {
  /** As it is now. */
  config(): Config;
  readonly gatewayId: string;
  readonly options: UplinkOptions;
  readonly clock: Clock;
  readonly random: Random;
  readonly signal: AbortSignal;
  readonly ledger: Pick<RetainedLedger, "topics" | "cleared">;
  /** The id that a device's entities have. */
  entityId(device: string): string;
  broker(): string;
  /** Of a broker that knows: topics on which nothing was published for so long. */
  retainedFor?(ageMs: number, limit: number): Promise<readonly string[] | undefined>;
}

/** So many of others' topics are looked at, at most. */
const OLD_MAX = 10_000;

export interface AuditReport {
  /** Retained messages under our base and Home Assistant's prefix. */
  readonly retained: number;
  /** False where the broker does not answer wildcards: then nothing can be told. */
  readonly complete: boolean;
  readonly findings: readonly Finding[];
}

/**
 * What is retained at the broker and should not be. Over a connection of its own, because a wildcard subscription on the
 * uplink's would bring commands twice.
 */
export class Audits {
  readonly #parts: AuditsParts;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(parts: AuditsParts) {
    this.#parts = parts;
  }

  /** With `all` also what is old of others. Rejects with REQUEST_INVALID where the broker does not know. */
  audit(olderMs: number, all = false): Promise<AuditReport> {
    return this.#alone(() => this.#audit(olderMs, all));
  }

  async #audit(olderMs: number, all: boolean): Promise<AuditReport> {
    const old = all ? await this.#old(olderMs) : [];
    await using call = this.#call();
    const facts = await this.#facts(olderMs);
    const seen = await call.read([`${facts.baseTopic}/#`, `${facts.prefix}/#`]);
    const exact = await call.read([facts.topics.status, facts.topics.info]);
    const complete = [...exact.keys()].every((topic) => seen.has(topic));
    const findings = complete ? audit(seen, facts) : [];
    return { retained: seen.size, complete, findings: [...findings, ...oldOnes(old, findings, facts)] };
  }

  async #old(olderMs: number): Promise<readonly string[]> {
    const old = await this.#parts.retainedFor?.(olderMs, OLD_MAX);
    if (old !== undefined) return old;
    const why = "only the bundled broker, with `broker.persistence`, knows how old others' retained messages are";
    throw new GatewayError("REQUEST_INVALID", `${why}: leave out \`--all\``);
  }

  /** Clears exactly these topics, all of which must be ours, and sees that they are gone. Rejects with REQUEST_INVALID. */
  clear(topics: readonly string[]): Promise<{ readonly cleared: readonly string[] }> {
    return this.#alone(() => this.#clear(topics));
  }

  async #clear(topics: readonly string[]): Promise<{ readonly cleared: readonly string[] }> {
    const facts = await this.#facts(0);
    const foreign = topics.find((topic) => !isOurs(topic, facts) || /[+#\0]/.test(topic));
    if (foreign !== undefined) {
      const scope = `${facts.topics.root}# and our discovery topics`;
      throw new GatewayError("REQUEST_INVALID", `${foreign.slice(0, 200)} is not below ${scope}`);
    }
    await using call = this.#call();
    const cleared: string[] = [];
    await clearAndSee(inClearingOrder(topics), call, async (topic) => {
      await this.#parts.ledger.cleared(topic, this.#parts.broker());
      cleared.push(topic);
    });
    return { cleared };
  }

  /** Ends another gateway, which is gone. Rejects as `decommissionOf`. */
  endOther(id: string, dryRun: boolean, listening?: (withinMs: number) => void): Promise<DeadResult> {
    return this.#alone(() => this.#endOther(id, dryRun, listening));
  }

  async #endOther(id: string, dryRun: boolean, listening?: (withinMs: number) => void): Promise<DeadResult> {
    const { mqtt, homeAssistant } = this.#parts.config();
    await using call = this.#call();
    const gateway = { id, baseTopic: mqtt.baseTopic, prefix: homeAssistant.discoveryPrefix };
    return await decommissionOf(gateway, dryRun, call, { ...(listening && { listening }) });
  }

  /** Two at once would be one client twice: the broker drops the first. */
  #alone<T>(work: () => Promise<T>): Promise<T> {
    const next = this.#turn.catch(() => undefined).then(work);
    this.#turn = next;
    return next;
  }

  #call(): Call {
    const { options } = this.#parts;
    return new Call({ ...this.#parts, options: { ...options, clientId: `${options.clientId}-audit` } });
  }

  async #facts(olderMs: number): Promise<AuditFacts> {
    const { clock, gatewayId, ledger, options } = this.#parts;
    const config = this.#parts.config();
    const entries = (await ledger.topics("all")).filter((entry) => isAt(this.#parts.broker(), entry));
    return {
      gatewayId,
      baseTopic: config.mqtt.baseTopic,
      prefix: config.homeAssistant.discoveryPrefix,
      topics: options.topics,
      current: configuredTopics(config, this.#parts),
      ledger: new Map(entries.map(({ topic, device }) => [topic, device])),
      nowMs: clock.wallMs(),
      olderMs,
    };
  }
}

function configuredTopics({ devices, homeAssistant }: Config, parts: AuditsParts): Set<string> {
  const { entityId, gatewayId } = parts;
  const { topics, publish, retainState } = parts.options;
  const ids = devices.filter(({ enabled }) => enabled).map(({ id }) => id);
  const ofDevices = ids.flatMap((id) => {
    const { status, config, state } = topics.device(id);
    return publish.state && retainState ? [status, config, state] : [status, config];
  });
  const announced = homeAssistant.enabled ? ["gateway", ...ids.map(entityId)] : [];
  const discovery = announced.map((id) => discoveryTopic(homeAssistant.discoveryPrefix, gatewayId, id));
  return new Set([topics.status, topics.info, topics.health, ...ofDevices, ...discovery]);
}
