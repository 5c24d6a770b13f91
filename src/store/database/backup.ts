import { startWorker, workerFile } from "../../sqlite/worker-host.ts";
import type { InstallCalls } from "./install-calls.ts";
import type { ReadOnlyCalls } from "./read-only-calls.ts";

/** Writes the store as it is at this moment to a new file, whether a service uses it or not. Throws STORE_IO, STORE_CORRUPT. */
export async function backUpStore(directory: string, to: string): Promise<void> {
  const file = workerFile(import.meta.url, "read-only-worker");
  await using host = startWorker<ReadOnlyCalls>(file, { directory });
  await host.call("copyTo", to);
}

/** Puts a backup in the place of a store that no service uses; what was there is moved aside, its new path returned. */
export async function installStore(directory: string, from: string, wallMs: number): Promise<string | undefined> {
  const file = workerFile(import.meta.url, "install-worker");
  await using host = startWorker<InstallCalls>(file, { directory });
  return await host.call("install", from, wallMs);
}
