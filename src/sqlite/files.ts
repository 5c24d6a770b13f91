import { closeSync, existsSync, fsyncSync, openSync, renameSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { isGatewayError } from "../core/errors.ts";
import { asStoreError } from "./errors.ts";

const COMPANIONS = ["", "-wal", "-shm"];

/** A new or renamed file is only there after a power cut once its directory is synced (fsync(2), Notes). */
export function syncDirectoryOf(path: string): void {
  const fd = openSync(dirname(path), "r");
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/**
 * Moves a damaged database aside, with its WAL, for someone to salvage; never deletes. Returns the new path. The
 * database must be closed.
 */
export function quarantine(path: string, wallMs: number): string {
  return setAside(path, "corrupt", wallMs);
}

/** Gives a closed database another name, with its WAL, and returns that. */
export function setAside(path: string, why: string, wallMs: number): string {
  const stamp = new Date(wallMs).toISOString().replace(/[-:]|\.\d+/g, "");
  let aside = `${path}.${why}-${stamp}`;
  for (let n = 2; existsSync(aside); n++) aside = `${path}.${why}-${stamp}-${n}`;
  for (const suffix of COMPANIONS) {
    if (existsSync(path + suffix)) renameSync(path + suffix, aside + suffix);
  }
  syncDirectoryOf(path);
  return aside;
}

/** A full tmpfs writes a part and says so only at the next attempt. */
export function writeWhole(fd: number, bytes: Buffer): void {
  for (let offset = 0; offset < bytes.length; ) offset += writeSync(fd, bytes, offset);
}

/**
 * Opens a database, and a fresh one in its place where it is damaged: the damaged one is moved aside, and its new path
 * returned. Rethrows whatever else keeps it from opening.
 */
export function openOrQuarantine(path: string, wallMs: number, open: () => unknown): string | undefined {
  try {
    open();
    return undefined;
  } catch (error) {
    if (!isGatewayError(asStoreError(error), "STORE_CORRUPT")) throw error;
    const aside = quarantine(path, wallMs);
    open();
    return aside;
  }
}
