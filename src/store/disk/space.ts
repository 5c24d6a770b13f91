import type { Usage } from "../database/store-calls.ts";
import type { StoreOptions } from "../options.ts";

/** Room made beyond what is needed, so that not every commit drops something. */
const DROP_SHARE = 0.02;
/** So much a store may always have: a limit on the disk's free space is not meant to end it. */
const MIN_BYTES = 4 * 1024 * 1024;
/** Of a small file system, at most this share is kept free. */
const MAX_FREE_SHARE = 0.1;

export interface Space {
  /** Beyond this, the policy applies. */
  readonly limitBytes: number;
  /** What is left after something was dropped. */
  readonly targetBytes: number;
  /** Which limit it is: the reason of what is dropped or refused. */
  readonly reason: "full" | "disk_full";
  /** Less is free than should be. */
  readonly isShort: boolean;
}

/**
 * What the database may use: never more than configured, and while less than `keepFreeBytes` are free on the disk it does
 * not grow. It does not shrink then either: others that fill the disk must not cost readings.
 */
export function spaceOf(
  { fileBytes, freeBytes, totalBytes }: Pick<Usage, "fileBytes" | "freeBytes" | "totalBytes">,
  { maxBytes, keepFreeBytes = 0 }: Pick<StoreOptions, "maxBytes" | "keepFreeBytes">,
): Space {
  const keepFree = Math.min(keepFreeBytes, totalBytes * MAX_FREE_SHARE);
  const isShort = freeBytes < keepFree;
  const allowed = Math.max(MIN_BYTES, fileBytes + Math.max(0, freeBytes - keepFree));
  if (allowed >= maxBytes)
    return { limitBytes: maxBytes, targetBytes: maxBytes * (1 - DROP_SHARE), reason: "full", isShort };
  // A file whose pages are all in use has to grow for the next one.
  const limitBytes = allowed * (1 - DROP_SHARE);
  return { limitBytes, targetBytes: allowed * (1 - 2 * DROP_SHARE), reason: "disk_full", isShort };
}
