import type { BrokerContext } from "./context.ts";
import { Message } from "./message.ts";
import type { BrokerStats } from "./stats.ts";

/** `$SYS/broker/...` as Mosquitto names it, retained, each when it changed. Returns what ends it. */
export function publishSystemTopics(context: BrokerContext, intervalMs: number, product: string): () => void {
  const { timers } = context;
  const openedMs = timers.nowMs();
  const loads = new Loads(context.stats);
  const published = new Map<string, string>();
  const publishAll = () => {
    const uptimeS = Math.floor((timers.nowMs() - openedMs) / 1000);
    const values = { version: product, uptime: `${uptimeS} seconds`, ...gauges(context.stats), ...loads.values() };
    for (const [name, value] of Object.entries(values)) {
      if (published.get(name) === value) continue;
      published.set(name, value);
      publish(context, `$SYS/broker/${name}`, value);
    }
  };
  let cancel = () => {};
  const wait = () => {
    cancel = timers.after(intervalMs, () => {
      loads.advance(intervalMs);
      publishAll();
      wait();
    });
  };
  publishAll();
  wait();
  return () => cancel();
}

function publish(context: BrokerContext, name: string, value: string): void {
  const source = Buffer.from(value);
  const place = { propertiesStart: 0, payloadStart: 0, payloadEnd: source.length, expiryAt: -1 };
  const parts = { source, qos: 0, retain: true, ...place } as const;
  const message = new Message(context.topics.internName(name), parts, Number.POSITIVE_INFINITY, true);
  message.volatile = true;
  context.publish(message, undefined);
}

function gauges(stats: BrokerStats): Record<string, string> {
  const away = stats.sessions - stats.clients;
  const numbers = {
    "clients/total": stats.sessions,
    "clients/inactive": away,
    "clients/disconnected": away,
    "clients/active": stats.clients,
    "clients/connected": stats.clients,
    "messages/received": stats.packetsReceived,
    "messages/sent": stats.packetsSent,
    "messages/stored": stats.retainedMessages,
    "store/messages/count": stats.retainedMessages,
    "store/messages/bytes": stats.retainedBytes + stats.queuedBytes,
    "retained messages/count": stats.retainedMessages,
    "subscriptions/count": stats.subscriptions,
    "shared_subscriptions/count": stats.sharedSubscriptions,
    "heap/current": process.memoryUsage().heapUsed,
    "publish/messages/received": stats.publishesReceived,
    "publish/messages/sent": stats.publishesSent,
    "publish/messages/dropped": dropped(stats),
    "publish/bytes/received": stats.publishBytesReceived,
    "publish/bytes/sent": stats.publishBytesSent,
    "bytes/received": stats.bytesReceived,
    "bytes/sent": stats.bytesSent,
  };
  return Object.fromEntries(Object.entries(numbers).map(([name, value]) => [name, `${value}`]));
}

function dropped(stats: BrokerStats): number {
  return Object.values(stats.dropped).reduce((sum, count) => sum + count, 0);
}

function totals(stats: BrokerStats) {
  return {
    "messages/received": stats.packetsReceived,
    "messages/sent": stats.packetsSent,
    "publish/received": stats.publishesReceived,
    "publish/sent": stats.publishesSent,
    "publish/dropped": dropped(stats),
    "bytes/received": stats.bytesReceived,
    "bytes/sent": stats.bytesSent,
    sockets: stats.connections,
    connections: stats.connects,
  };
}

const windowsMin = [1, 5, 15] as const;

/** What came in a minute, as exponential averages over 1, 5 and 15 minutes. */
class Loads {
  readonly #stats: BrokerStats;
  readonly #averages = new Map<string, number>();
  #before: Record<string, number>;

  constructor(stats: BrokerStats) {
    this.#stats = stats;
    this.#before = totals(stats);
  }

  advance(intervalMs: number): void {
    const now: Record<string, number> = totals(this.#stats);
    for (const [name, total] of Object.entries(now)) {
      const perMinute = ((total - (this.#before[name] ?? 0)) * 60_000) / intervalMs;
      for (const minutes of windowsMin) {
        const key = `load/${name}/${minutes}min`;
        const kept = Math.exp(-intervalMs / (minutes * 60_000));
        this.#averages.set(key, perMinute + kept * ((this.#averages.get(key) ?? 0) - perMinute));
      }
    }
    this.#before = now;
  }

  values(): Record<string, string> {
    return Object.fromEntries([...this.#averages].map(([name, value]) => [name, value.toFixed(2)]));
  }
}
