import { randomBytes } from "node:crypto";
import { closeSync, existsSync, fsyncSync, openSync, rmSync, statfsSync } from "node:fs";
import { dirname } from "node:path";
import { writeWhole } from "./files.ts";

const MIN_BYTES = 128 * 1024;
const MARGIN_BYTES = 32 * 1024;

/**
 * On a full disk SQLite can neither delete nor checkpoint, for both write to the WAL first. A file that is given up then
 * makes room for that, and is there again once the disk has plenty.
 */
export class Reserve {
  readonly #path: string;
  readonly #bytes: number;
  #wasReleased = false;

  constructor(path: string, bytes: number) {
    this.#path = path;
    this.#bytes = bytes;
  }

  /** Gives the room away; false when it was gone already. */
  release(): boolean {
    if (!existsSync(this.#path)) return false;
    rmSync(this.#path, { force: true });
    this.#wasReleased = true;
    return true;
  }

  /** Takes it where there is plenty, and back where there is any room. True when it is there. */
  keep(): boolean {
    if (existsSync(this.#path)) return true;
    const { freeBytes } = freeOf(this.#path);
    const bytes = Math.min(this.#bytes, freeBytes - MARGIN_BYTES);
    if (this.#wasReleased ? bytes < MIN_BYTES : freeBytes < 8 * this.#bytes) return false;
    return this.#take(bytes);
  }

  #take(bytes: number): boolean {
    let fd: number | undefined;
    try {
      fd = openSync(this.#path, "wx", 0o640);
      // Not zeros, which some file systems do not store.
      writeWhole(fd, randomBytes(bytes));
      fsyncSync(fd);
      return true;
    } catch {
      rmSync(this.#path, { force: true });
      return false;
    } finally {
      if (fd !== undefined) closeSync(fd);
    }
  }
}

export interface Free {
  /** What an unprivileged process may still use. */
  readonly freeBytes: number;
  readonly totalBytes: number;
}

/** Of the file system that `path` is, or would be, on. */
export function freeOf(path: string): Free {
  const { bavail, blocks, bsize } = statfsSync(existsSync(path) ? path : dirname(path));
  return { freeBytes: bavail * bsize, totalBytes: blocks * bsize };
}
