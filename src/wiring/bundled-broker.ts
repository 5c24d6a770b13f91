import type { Broker } from "../broker/broker.ts";
import type { BrokerFacts } from "../core/gateway.ts";
import type { Fault } from "../uplink/live/payloads.ts";

/** What `status` and `health` tell of the broker that runs beside the gateway. */
export interface BundledBroker {
  facts(): BrokerFacts;
  faults(): readonly Fault[];
}

export function bundledBroker(broker: Pick<Broker, "stats">): BundledBroker {
  return {
    facts() {
      const stats = broker.stats();
      return {
        clients: stats.clients,
        sessions: stats.sessions,
        subscriptions: stats.subscriptions,
        retained: { messages: stats.retainedMessages, bytes: stats.retainedBytes },
        queued: { messages: stats.queuedMessages, bytes: stats.queuedBytes },
        dropped: counted(stats.dropped),
        refused_connections: counted(stats.refusedAt),
        refusals: stats.refusals,
      };
    },
    faults() {
      const code = broker.stats().persistenceFault;
      if (code === undefined) return [];
      return [{ code, message: "the broker's database takes nothing: what must be kept is refused until it does" }];
    },
  };
}

/** What happened, by names in the payloads' case. */
function counted(counts: Readonly<Record<string, number>>): Record<string, number> {
  const happened = Object.entries(counts).filter(([, count]) => count > 0);
  return Object.fromEntries(
    happened.map(([name, count]) => [name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`), count]),
  );
}
