import { DEVICE_ID_PATTERN } from "../core/device.ts";
import { formatDurationMs } from "../core/duration.ts";
import { isDiscoveryTopic, type Topics } from "../core/topics.ts";

/**
 * `gone`: we published it, for a device that is not configured any more or by an earlier configuration. `stale`: it
 * stands where it should and was not refreshed for long. `nobody`: under our base, and no gateway that is there
 * published it. `unfed`: a discovery message whose entities wait for topics that nobody feeds. `old`: somebody's, and
 * nothing was published on it for long.
 */
export type FindingKind = "gone" | "stale" | "nobody" | "unfed" | "old";

export interface Finding {
  readonly topic: string;
  readonly kind: FindingKind;
  readonly why: string;
  /** Under our own root, or our own discovery: `--clear` takes it. */
  readonly clearable: boolean;
}

export interface AuditFacts {
  readonly gatewayId: string;
  readonly baseTopic: string;
  readonly prefix: string;
  readonly topics: Topics;
  /** What we publish for what is configured. */
  readonly current: ReadonlySet<string>;
  /** What the ledger says that we published here, with whose it is. */
  readonly ledger: ReadonlyMap<string, string | undefined>;
  readonly nowMs: number;
  readonly olderMs: number;
}

/** What is wrong with the retained messages that the broker has under our base and Home Assistant's prefix. */
export function audit(seen: ReadonlyMap<string, string>, facts: AuditFacts): Finding[] {
  return [...seen].flatMap(([topic, payload]): Finding[] => {
    const found = judge(topic, payload, seen, facts);
    return found ? [{ topic, ...found, clearable: isOurs(topic, facts) }] : [];
  });
}

/** Topics that the broker has known for long without news, and nothing else was found of. */
export function oldOnes(
  topics: readonly string[],
  found: readonly Finding[],
  facts: Pick<AuditFacts, "topics" | "prefix" | "gatewayId" | "current" | "olderMs">,
): Finding[] {
  const known = new Set(found.map(({ topic }) => topic));
  const why = `nothing was published on it for ${formatDurationMs(facts.olderMs)}`;
  return topics
    .filter((topic) => !known.has(topic) && !facts.current.has(topic))
    .map((topic) => ({ topic, kind: "old", why, clearable: isOurs(topic, facts) }));
}

/** May we clear it? `<base>/<gw>/#` and our discovery topics, and nothing else. */
export function isOurs(
  topic: string,
  { topics, prefix, gatewayId }: Pick<AuditFacts, "topics" | "prefix" | "gatewayId">,
) {
  return topic.startsWith(topics.root) || topic.startsWith(`${prefix}/device/${gatewayId}/`);
}

type Judgement = Pick<Finding, "kind" | "why"> | undefined;

function judge(topic: string, payload: string, seen: ReadonlyMap<string, string>, facts: AuditFacts): Judgement {
  const { baseTopic, current, ledger, prefix } = facts;
  if (current.has(topic)) return staleness(payload, facts);
  if (ledger.has(topic)) {
    const device = ledger.get(topic);
    return { kind: "gone", why: device ? `${device} is not configured` : "of an earlier configuration" };
  }
  if (isOurs(topic, facts)) return { kind: "nobody", why: "under our id, and not published by this installation" };
  if (topic.startsWith(`${baseTopic}/`)) return ofOtherGateway(topic, seen, facts);
  if (topic.startsWith(`${prefix}/`)) return unfed(payload, seen, facts);
  return undefined;
}

/** Only what says when it was taken can be told to be old. */
function staleness(payload: string, { nowMs, olderMs }: AuditFacts): Judgement {
  const timeMs = timeOf(payload);
  if (timeMs === undefined || nowMs - timeMs < olderMs) return undefined;
  return { kind: "stale", why: `last update ${new Date(timeMs).toISOString()}` };
}

function ofOtherGateway(topic: string, seen: ReadonlyMap<string, string>, facts: AuditFacts): Judgement {
  const id = topic.slice(facts.baseTopic.length + 1).split("/")[0] ?? "";
  if (!isGateway(id, seen, facts)) return { kind: "nobody", why: `there is no gateway ${id}` };
  const isOffline = seen.get(`${facts.baseTopic}/${id}/status`) !== "online";
  const stale = isOffline ? staleness(seen.get(`${facts.baseTopic}/${id}/health`) ?? "", facts) : undefined;
  return stale && { ...stale, why: `${id} is offline, ${stale.why}: \`fieldpost decommission --of ${id}\`` };
}

function isGateway(id: string, seen: ReadonlyMap<string, string>, { baseTopic }: AuditFacts): boolean {
  return ["status", "info"].some((name) => seen.has(`${baseTopic}/${id}/${name}`));
}

/** A discovery message of anybody's that expects states below our base, from a device that says nothing there. */
function unfed(payload: string, seen: ReadonlyMap<string, string>, { baseTopic }: AuditFacts): Judgement {
  const expected = stateTopics(parsed(payload)).filter((topic) => topic.startsWith(`${baseTopic}/`));
  const missing = expected.filter((topic) => {
    const device = topic.slice(0, topic.lastIndexOf("/"));
    return !["state", "status", "health"].some((name) => seen.has(`${device}/${name}`));
  });
  if (expected.length === 0 || missing.length < expected.length) return undefined;
  return { kind: "unfed", why: `nobody feeds ${missing[0]}` };
}

function stateTopics(value: unknown): string[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => {
    if (typeof inner === "string") return ["state_topic", "stat_t"].includes(key) ? [inner] : [];
    return ["components", "cmps"].includes(key) ? Object.values(inner as object).flatMap(stateTopics) : [];
  });
}

function timeOf(payload: string): number | undefined {
  const time = (parsed(payload) as { time?: unknown } | undefined)?.time;
  const timeMs = typeof time === "string" ? Date.parse(time) : Number.NaN;
  return Number.isNaN(timeMs) ? undefined : timeMs;
}

function parsed(payload: string): unknown {
  try {
    return JSON.parse(payload) ?? undefined;
  } catch {
    return undefined;
  }
}

/** What a gateway that is gone has left: what is found below its root, and what its own `info` says that there must be. */
export function leftBy(gatewayId: string, baseTopic: string, prefix: string, info: string | undefined): string[] {
  const root = `${baseTopic}/${gatewayId}`;
  const listed = (parsed(info ?? "") as { devices?: unknown } | undefined)?.devices;
  // Anything else would be a filter, or another's topic.
  const isId = (id: unknown) => typeof id === "string" && DEVICE_ID_PATTERN.test(id);
  const ids: string[] = Array.isArray(listed) ? listed.map((one) => one?.id).filter(isId) : [];
  const ofDevice = (id: string) => ["status", "state", "config"].map((name) => `${root}/${id}/${name}`);
  const discovery = ["gateway", ...ids].map((id) => `${prefix}/device/${gatewayId}/${id}/config`);
  return [...["status", "info", "health"].map((name) => `${root}/${name}`), ...ids.flatMap(ofDevice), ...discovery];
}

/** Discovery goes first, so that Home Assistant takes the entities away before their states. */
export function inClearingOrder(topics: Iterable<string>): string[] {
  const all = [...new Set(topics)];
  return [...all.filter(isDiscoveryTopic), ...all.filter((topic) => !isDiscoveryTopic(topic))];
}
