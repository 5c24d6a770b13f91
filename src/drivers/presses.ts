import type { Edge, Level } from "../hardware/gpio.ts";

/**
 * The level that a contact really has: one that stayed for `quietMs`, by the edges' own times, so that edges that are heard
 * late and all at once say the same as those that are heard as they happen.
 */
export class SettledLevel {
  readonly #quietMs: number;
  #raw: Level;
  #rawMs = 0;
  now: Level;

  constructor(quietMs: number, level: Level) {
    this.#quietMs = quietMs;
    this.#raw = level;
    this.now = level;
  }

  /** When the newest level will have stayed long enough; undefined where there is nothing to wait for. */
  get dueMs(): number | undefined {
    return this.#raw === this.now ? undefined : this.#rawMs + this.#quietMs;
  }

  /** To be called after `pass` of the same time. */
  edge({ level, monoMs }: Edge): void {
    this.#raw = level;
    this.#rawMs = monoMs;
  }

  /** The change that has become certain by then, and when it happened. */
  pass(nowMs: number): Edge | undefined {
    if (this.dueMs === undefined || nowMs < this.dueMs) return undefined;
    this.now = this.#raw;
    return { level: this.#raw, monoMs: this.#rawMs };
  }
}

export const pressTypes = ["single", "double", "long"] as const;
export type PressType = (typeof pressTypes)[number];

export interface PressTimes {
  /** Held for this long, a press is a long one. */
  readonly longMs: number;
  /** Within this after the release of the first, a second press makes a double one; 0: nobody waits for a second. */
  readonly doubleMs: number;
}

/** What a button's ups and downs mean. A double press is told when the second begins, a long one while it is held. */
export class Presses {
  readonly #times: PressTimes;
  /** Since when it is held, as long as that says nothing yet. */
  #heldMs: number | undefined;
  /** When the first press ended that may become a double one. */
  #releasedMs: number | undefined;

  constructor(times: PressTimes) {
    this.#times = times;
  }

  get dueMs(): number | undefined {
    const { longMs, doubleMs } = this.#times;
    if (this.#heldMs !== undefined) return this.#heldMs + longMs;
    return this.#releasedMs === undefined ? undefined : this.#releasedMs + doubleMs;
  }

  /** To be called after `pass` of the same time. */
  change(isDown: boolean, atMs: number): PressType | undefined {
    return isDown ? this.#down(atMs) : this.#up(atMs);
  }

  /** What has become certain by then. */
  pass(nowMs: number): PressType | undefined {
    if (this.dueMs === undefined || nowMs < this.dueMs) return undefined;
    const type = this.#heldMs === undefined ? "single" : "long";
    this.#heldMs = undefined;
    this.#releasedMs = undefined;
    return type;
  }

  #down(atMs: number): PressType | undefined {
    const isSecond = this.#releasedMs !== undefined;
    this.#releasedMs = undefined;
    this.#heldMs = isSecond ? undefined : atMs;
    return isSecond ? "double" : undefined;
  }

  #up(atMs: number): PressType | undefined {
    const counts = this.#heldMs !== undefined;
    this.#heldMs = undefined;
    if (!counts) return undefined;
    if (this.#times.doubleMs === 0) return "single";
    this.#releasedMs = atMs;
    return undefined;
  }
}
