/** What puts a restored database in the place of a store's. */
export interface InstallCalls {
  /**
   * Takes a copy of `from`, a database of a backup; the one that was there is moved aside, and its new path returned.
   * Throws STORE_LOCKED while a service runs, STORE_CORRUPT or STORE_NEWER for what is no such database.
   */
  install(from: string, wallMs: number): string | undefined;
  close(): void;
}
