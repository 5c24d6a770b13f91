/** Keys in `meta` that are the store's own. */

/** `<epoch> <head>` of a clean stop, gone while the store is open. */
export const CLEAN_STOP = "store.clean";
export const INSTANCE = "store.instance";
