/** Keys in `meta` that are the store's own. */

/** `<epoch> <head>` of a clean stop, gone while the store is open. */
export const CLEAN_STOP = "store.clean";
export const INSTANCE = "store.instance";

/** An entry's place in the ledger: a topic may be at several brokers. */
export function ledgerKey({ broker, topic }: { readonly broker: string; readonly topic: string }): string {
  return `${broker}\n${topic}`;
}
