import type { Counters } from "./gateway.ts";

export interface ConsumerFacts {
  readonly consumers: Readonly<Record<string, Counters>>;
  /** Receipts that were ignored, by why. */
  readonly ignoredReceipts: Readonly<Record<string, number>>;
}

/** Those that send receipts, as health and status show them: nothing where there are none and nobody pretends to be one. */
export function consumersShown({ consumers, ignoredReceipts }: ConsumerFacts) {
  const shown = Object.entries(consumers).map(([name, { delivered, pending, dropped }]) => {
    const droppedTotal = Object.values(dropped).reduce((sum, count) => sum + count, 0);
    return [name, { delivered, pending, dropped_total: droppedTotal }] as const;
  });
  return {
    ...(shown.length > 0 && { consumers: Object.fromEntries(shown) }),
    ...(Object.keys(ignoredReceipts).length > 0 && { receipts_ignored: ignoredReceipts }),
  };
}
