import { isConsumer } from "../backlog/destination.ts";
import type { Context } from "../state.ts";
import { deviceFaults, type Fault, type HealthFacts } from "./payloads.ts";

/** What `health` tells; `faults` are those of the connection. */
export function healthFacts(context: Context, broker: string, faults: readonly Fault[]): HealthFacts {
  const { store, board, bundled, clock } = context.deps;
  const devices = board.all();
  const latestVersion = context.deps.latestVersion?.();
  const consumers = store.outbox.destinations.filter(isConsumer);
  const events = context.events.counts();
  return {
    ...(events && { events }),
    consumers: Object.fromEntries(consumers.map((name) => [name, store.counters(name)])),
    ignoredReceipts: context.receipts.rejected(),
    counters: store.counters(),
    buffer: store.usage(),
    clock: clock.syncState(),
    retained: store.ledger.at(broker).length,
    gateway: context.deps.gateway,
    vitals: context.deps.vitals?.() ?? {},
    ...(latestVersion !== undefined && { latestVersion }),
    faults: [
      ...store.faults(),
      ...(bundled?.faults() ?? []),
      ...(context.deps.faults?.() ?? []),
      ...faults,
      ...deviceFaults(devices),
    ],
    devices,
    ...(bundled && { broker: bundled.facts() }),
    wallMs: clock.wallMs(),
  };
}
