import { randomUUID } from "node:crypto";
import type { Log } from "../core/log.ts";
import { AccessControl } from "./access/access-control.ts";
import { Client } from "./client.ts";
import type { BrokerContext, Published } from "./context.ts";
import { type BrokerLimits, defaultLimits } from "./limits.ts";
import { watchExpiry } from "./listeners/expiry.ts";
import { checkExposure } from "./listeners/exposure.ts";
import { type BoundAddress, type Listener, type ListenerEvents, prepareListener } from "./listeners/listen.ts";
import type { Message } from "./message.ts";
import type { Authorise, BrokerOptions } from "./options.ts";
import { Journal } from "./persistence/journal.ts";
import { type MachineClock, processClock } from "./persistence/own-time.ts";
import { restore } from "./persistence/restore.ts";
import { RetainedMessages } from "./routing/retained.ts";
import { routeMessage } from "./routing/router.ts";
import { TopicTable } from "./routing/topic-table.ts";
import { type Subscriber, TopicTree } from "./routing/topic-tree.ts";
import type { SessionDeps } from "./sessions/session.ts";
import { Sessions } from "./sessions/sessions.ts";
import { type BrokerStats, countRejection, newStats } from "./stats.ts";
import { publishSystemTopics } from "./system-topics.ts";
import { systemTimers, type Timers } from "./timers.ts";
import { Turn } from "./turn.ts";

export interface BrokerDeps {
  readonly log: Log;
  readonly timers?: Timers;
  /** The wall clock, ms since 1970: certificates end by it. */
  readonly wallMs?: () => number;
  /** For expiry over restarts. */
  readonly clock?: MachineClock;
  /** What follows the prefix of a client id that the broker assigns. */
  readonly randomId?: () => string;
}

/** An MQTT 3.1.1 and 5.0 broker. Disposing it says goodbye to every client (0x8b) and closes every socket. */
export interface Broker extends AsyncDisposable {
  /** Where it listens, in the order of the options. */
  readonly addresses: readonly BoundAddress[];
  stats(): BrokerStats;
  /**
   * Topics on which nothing retained was published for so long, whoever's they are, of what outlives a restart. Resolves
   * with undefined without persistence: then nobody knows.
   */
  retainedFor(ageMs: number, limit: number): Promise<readonly string[] | undefined>;
  /**
   * Reads password files, ACL files and certificates again. Clients whose user is gone or has another password, or whose
   * certificate was revoked, are disconnected.
   * Throws GatewayError CONFIG_INVALID for a wrong file, and nothing has changed.
   */
  reload(): Promise<void>;
}

/** Listens once this resolves. Throws GatewayError: CONFIG_INVALID, ADDRESS_IN_USE. */
export async function openBroker(options: BrokerOptions, deps: BrokerDeps): Promise<Broker> {
  for (const listener of options.listeners) checkExposure(listener, options.authenticate !== undefined);
  const timers = deps.timers ?? systemTimers;
  const access = await AccessControl.open(options.listeners, timers);
  const turn = new Turn();
  const { clock = processClock, log } = deps;
  const kept = options.persistence && (await Journal.open(options.persistence, { clock, log, timers, turn }));
  const journal = kept?.journal;
  const context = createContext(options, { ...deps, timers, access, turn, journal });
  if (kept) restore(context, kept.journal, kept.changes);
  const clients = new Set<Client>();
  const stopExpiry = everyMinute(timers, () => {
    for (const { topic, volatile } of context.retained.expire(timers.nowMs()))
      if (!volatile) journal?.changes.cleared(topic.bytes);
  });
  const { sysIntervalMs = 0, product = "fieldpost" } = options;
  const stopSystemTopics = sysIntervalMs > 0 ? publishSystemTopics(context, sysIntervalMs, product) : () => {};
  const listeners: Listener[] = [];
  let stopWatching = () => {};
  const close = async () => {
    stopExpiry();
    stopWatching();
    stopSystemTopics();
    await journal?.flush();
    const closing = listeners.map((listener) => listener[Symbol.asyncDispose]());
    context.sessions.clear();
    for (const client of clients) client.stop();
    await Promise.all(closing);
    await journal?.[Symbol.asyncDispose]();
  };
  const listenerDeps = { limits: context.limits, timers, connectionsByAddress: new Map<string, number>() };
  try {
    const prepared = options.listeners.map((listener) =>
      prepareListener(listener, listenerDeps, listenerEvents(context, clients)),
    );
    for (const open of await Promise.all(prepared)) listeners.push(await open());
  } catch (error) {
    await close();
    throw error;
  }
  stopWatching = watchExpiry(listeners, context.log, context.timers, deps.wallMs ?? Date.now);
  return {
    addresses: listeners.map(({ bound }) => bound),
    stats: () => ({ ...structuredClone(context.stats), persistenceFault: journal?.failure?.code }),
    retainedFor: async (ageMs, limit) => await journal?.retainedFor(ageMs, limit),
    reload: () =>
      access.during(async () => {
        const applyTls = await Promise.all(listeners.map(({ tls }) => tls?.prepare()));
        const applyAccess = await access.prepare();
        const isChanged = applyAccess();
        for (const apply of applyTls) apply?.();
        for (const client of clients) client.recheck(isChanged);
      }),
    [Symbol.asyncDispose]: close,
  };
}

interface ContextDeps extends BrokerDeps {
  readonly timers: Timers;
  readonly access: AccessControl;
  readonly turn: Turn;
  readonly journal: Journal | undefined;
}

function createContext(
  options: BrokerOptions,
  { log, randomId = randomUUID, timers, access, turn, journal }: ContextDeps,
): BrokerContext {
  const authorise = options.authorise ?? rulesOf(options, access);
  const limits: BrokerLimits = { ...defaultLimits, ...options.limits };
  const stats = newStats();
  const tree = new TopicTree();
  const retained = new RetainedMessages(limits, stats);
  const publish = (message: Message, publisher: Subscriber | undefined): Published => ({
    retained: !message.retain || retain(message, retained, journal),
    reached: routeMessage(tree, stats, message, publisher),
  });
  const sessionDeps: SessionDeps = {
    limits,
    stats,
    timers,
    tree,
    retained,
    authorise,
    journal,
    turn,
  };
  const sessions = new Sessions({
    ...sessionDeps,
    publishWill: (message, session) => {
      const mayWrite = authorise?.(session.identity, "write", message.topic.name) ?? true;
      if (mayWrite) publish(message, session);
      else stats.dropped.denied++;
    },
  });
  const prefix = options.autoIdPrefix ?? "auto-";
  return {
    options,
    access,
    authorise,
    limits,
    log,
    timers,
    stats,
    tree,
    retained,
    sessions,
    sessionDeps,
    journal,
    publish,
    turn,
    topics: new TopicTable(limits.topicLevels),
    newClientId: () => `${prefix}${randomId()}`,
  };
}

/** False: there is no room. */
function retain(message: Message, retained: RetainedMessages, journal: Journal | undefined): boolean {
  const { name, bytes } = message.topic;
  const previous = journal && retained.find(name);
  if (!retained.set(message)) return false;
  if (message.payloadBytes > 0 && !message.volatile) journal?.changes.retained(message);
  else if (previous && !previous.volatile) journal?.changes.cleared(bytes);
  return true;
}

/** Undefined where no listener has an ACL file: then nothing is asked. */
function rulesOf({ listeners }: BrokerOptions, access: AccessControl): Authorise | undefined {
  if (listeners.every(({ aclFile }) => aclFile === undefined)) return undefined;
  return (who, what, topic) => access.may(who, what, topic);
}

function listenerEvents(context: BrokerContext, clients: Set<Client>): ListenerEvents {
  const { stats, log } = context;
  let full = false;
  return {
    accepted(socket, listener, address, certified) {
      full = false;
      stats.connections++;
      const client = new Client(socket, listener, address, context, certified);
      clients.add(client);
      socket.once("close", () => clients.delete(client));
    },
    refused({ door, why }, address) {
      countRejection(stats, door);
      if (!full) log.warn("connections are refused", { reason: why, address });
      full = true;
    },
    failed({ door, why }, address) {
      countRejection(stats, door);
      log.warn("connection refused", { reason: why, address });
    },
  };
}

function everyMinute(timers: Timers, run: () => void): () => void {
  let cancel = () => {};
  const wait = () => {
    cancel = timers.after(60_000, () => {
      run();
      wait();
    });
  };
  wait();
  return () => cancel();
}
