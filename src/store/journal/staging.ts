import { closeSync, ftruncateSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, truncateSync } from "node:fs";
import { dirname } from "node:path";
import type { Newest } from "../../core/board.ts";
import { errnoName, GatewayError, messageOf } from "../../core/errors.ts";
import type { BootAnchors } from "../../core/timeline.ts";
import { writeWhole } from "../../sqlite/files.ts";
import { decodeFrames, encodeFrame } from "./frames.ts";
import type { OutboxEvent, OutboxSnapshot } from "./outbox-state.ts";

/** Of another one nothing is understood: the disk alone says how things stood. */
export const STAGING_FORMAT = 2;

/** First frame of a staging file: whose it is, and how everything stood when it was written. */
export interface StagingHeader extends OutboxSnapshot {
  readonly format: typeof STAGING_FORMAT;
  readonly instance: string;
  /** The machine's boot: positions of another one may have been given out and lost with its memory. */
  readonly boot: string;
  /** Changes that the disk may not have yet. */
  readonly meta: ReadonlyArray<readonly [key: string, value: string | null]>;
  readonly boots: readonly BootAnchors[];
  readonly newest: ReadonlyArray<readonly [device: string, channels: ReadonlyArray<readonly [string, Newest]>]>;
}

export type StagedEvent =
  | OutboxEvent
  /** Without a value it is removed. */
  | { readonly kind: "meta"; readonly key: string; readonly value?: string }
  | { readonly kind: "boot"; readonly boot: BootAnchors }
  | { readonly kind: "forget"; readonly device: string };

/** An event of before the header that the disk does not have: its record (or its death) is needed, its effect is in the header. */
export interface StagedRest {
  readonly kind: "rest";
  readonly event: OutboxEvent;
}

export interface Staged {
  readonly header: StagingHeader;
  readonly rest: readonly OutboxEvent[];
  readonly events: readonly StagedEvent[];
}

/** What a staging file holds; undefined where there is none or its header cannot be read. A torn end is left out. */
export function readStaging(path: string): Staged | undefined {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    if (errnoName(error) === "ENOENT") return undefined;
    throw stagingError(path, error);
  }
  const [header, ...frames] = decodeFrames(bytes) as [StagingHeader?, ...Array<StagedEvent | StagedRest>];
  if (header?.format !== STAGING_FORMAT) return undefined;
  return {
    header,
    rest: frames.flatMap((frame) => (frame.kind === "rest" ? [frame.event] : [])),
    events: frames.filter((frame) => frame.kind !== "rest"),
  };
}

/**
 * The file on tmpfs that outlives the process: a header, then one frame an event. `write` has happened when it returns,
 * so the kernel keeps the event whatever becomes of us.
 */
export class Staging {
  readonly #path: string;
  #fd: number | undefined;
  #bytes = 0;
  #failure: GatewayError | undefined;

  constructor(path: string) {
    this.#path = path;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Why nothing is staged, until `rewrite` succeeds. The file is then gone: what is missing in it must not look whole. */
  get failure(): GatewayError | undefined {
    return this.#failure;
  }

  /** Appends an encoded event; see `failure`. */
  append(frame: Buffer): void {
    if (this.#fd === undefined) return;
    try {
      writeWhole(this.#fd, frame);
      this.#bytes += frame.length;
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Replaces the file in one step; see `failure`. */
  rewrite(header: StagingHeader, rest: Iterable<OutboxEvent>): void {
    const frames = [encodeFrame(header)];
    for (const event of rest) frames.push(encodeFrame({ kind: "rest", event } satisfies StagedRest));
    const bytes = Buffer.concat(frames);
    const next = `${this.#path}.new`;
    let fd: number | undefined;
    try {
      mkdirSync(dirname(this.#path), { recursive: true, mode: 0o750 });
      fd = openSync(next, "w", 0o640);
      writeWhole(fd, bytes);
      renameSync(next, this.#path);
    } catch (error) {
      if (fd !== undefined) closeSync(fd);
      this.#fail(error);
      return;
    }
    this.close();
    this.#failure = undefined;
    this.#fd = fd;
    this.#bytes = bytes.length;
  }

  /** Leaves the file as it is. */
  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
    this.#bytes = 0;
  }

  #fail(error: unknown): void {
    this.#failure = stagingError(this.#path, error);
    this.remove();
  }

  /** Afterwards nothing of it is found at a start: emptied first, for an empty file is no staging either. */
  remove(): void {
    try {
      if (this.#fd === undefined) truncateSync(this.#path);
      else ftruncateSync(this.#fd, 0);
      rmSync(this.#path, { force: true });
    } catch (error) {
      // Not there, or emptied and cannot be unlinked. What is neither is recognised by its age (recover: isCurrent).
      if (errnoName(error) === undefined) throw error;
    } finally {
      this.close();
    }
  }
}

function stagingError(path: string, cause: unknown): GatewayError {
  return new GatewayError("STORE_IO", `staging file ${path}: ${messageOf(cause)}`, { cause });
}
