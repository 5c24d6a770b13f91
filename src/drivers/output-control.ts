/** Times in milliseconds; what is left out does not bind. */
export interface OutputPolicy {
  readonly safe: boolean;
  /** Back to the safe state when no controller was heard for so long. */
  readonly failsafeAfterMs?: number | undefined;
  /** The longest time away from the safe state. */
  readonly maxOnMs?: number | undefined;
  /** A compressor's rest: so long it stays on, or off, before a command changes it. Safety does not wait. */
  readonly minOnMs: number;
  readonly minOffMs: number;
}

/** Why an output is what it is. */
export type Cause = "start" | "command" | "pulse over" | "max_on" | "failsafe" | "interlock";

export interface Decision {
  readonly on: boolean;
  readonly cause: Cause;
  /** When to look again, whatever happens; undefined where only a command can change something. */
  readonly againMs: number | undefined;
}

/** What one output shall be, from commands and the passing of time alone: monotonic milliseconds, given by the caller. */
export class OutputControl {
  readonly #policy: OutputPolicy;
  #wanted: boolean;
  #cause: Cause = "start";
  #on: boolean;
  /** Since when it is as it is. */
  #sinceMs: number;
  /** When a controller was heard for the last time. */
  #heardMs: number;
  /** The end of a pulse, and what it ends in. */
  #pulse: { readonly endMs: number; readonly next: boolean } | undefined;

  constructor(policy: OutputPolicy, on: boolean, nowMs: number) {
    this.#policy = policy;
    this.#wanted = on;
    this.#on = on;
    this.#sinceMs = nowMs;
    this.#heardMs = nowMs;
  }

  /** Is it, or does it want to be, in the state that is not safe? */
  get isAway(): boolean {
    return this.#on !== this.#policy.safe;
  }

  get wantsAway(): boolean {
    return this.#wanted !== this.#policy.safe;
  }

  get wantsOn(): boolean {
    return this.#wanted;
  }

  /** `forMs`: so long, and then back. */
  command(on: boolean, nowMs: number, forMs?: number): void {
    this.#want(on, "command");
    this.heard(nowMs);
    this.#pulse = forMs === undefined ? undefined : { endMs: nowMs + forMs, next: !on };
  }

  /** A controller is there, or was at that time. */
  heard(atMs: number): void {
    this.#heardMs = Math.max(this.#heardMs, atMs);
  }

  /** Another of its group goes away from its safe state. */
  release(): void {
    if (!this.wantsAway) return;
    this.#pulse = undefined;
    this.#want(this.#policy.safe, "interlock");
  }

  /** What to drive now. `blocked`: another of its group has not come back yet. */
  look(nowMs: number, blocked = false): Decision {
    this.#endPulse(nowMs);
    this.#beSafe(nowMs);
    if (this.#wanted !== this.#on && this.#may(nowMs, blocked)) {
      this.#on = this.#wanted;
      this.#sinceMs = nowMs;
    }
    return { on: this.#on, cause: this.#cause, againMs: this.#againMs(nowMs) };
  }

  #want(on: boolean, cause: Cause): void {
    this.#wanted = on;
    this.#cause = cause;
  }

  #endPulse(nowMs: number): void {
    if (!this.#pulse || nowMs < this.#pulse.endMs) return;
    this.#want(this.#pulse.next, "pulse over");
    this.#pulse = undefined;
  }

  #beSafe(nowMs: number): void {
    const limits = [
      ["max_on", this.isAway ? this.#maxOnEndMs() : undefined],
      ["failsafe", this.isAway || this.wantsAway ? this.#failsafeMs() : undefined],
    ] as const;
    for (const [cause, endMs] of limits) {
      if (endMs === undefined || nowMs < endMs) continue;
      this.#pulse = undefined;
      this.#want(this.#policy.safe, cause);
    }
  }

  /** A change by command waits for the least time; one for safety does not. */
  #may(nowMs: number, blocked: boolean): boolean {
    if (this.wantsAway && blocked) return false;
    return this.#isUrgent() || nowMs >= this.#restEndMs();
  }

  #isUrgent(): boolean {
    return !this.wantsAway && (this.#cause === "max_on" || this.#cause === "failsafe");
  }

  #againMs(nowMs: number): number | undefined {
    const waits = this.#wanted !== this.#on ? this.#restEndMs() : undefined;
    const away = this.isAway || this.wantsAway;
    const times = [
      this.#pulse?.endMs,
      this.isAway ? this.#maxOnEndMs() : undefined,
      away ? this.#failsafeMs() : undefined,
      waits,
    ].filter((time) => time !== undefined && time > nowMs);
    return times.length > 0 ? Math.min(...(times as number[])) : undefined;
  }

  #maxOnEndMs(): number | undefined {
    const { maxOnMs } = this.#policy;
    return maxOnMs === undefined ? undefined : this.#sinceMs + maxOnMs;
  }

  #failsafeMs(): number | undefined {
    const { failsafeAfterMs } = this.#policy;
    return failsafeAfterMs === undefined ? undefined : this.#heardMs + failsafeAfterMs;
  }

  #restEndMs(): number {
    return this.#sinceMs + (this.#on ? this.#policy.minOnMs : this.#policy.minOffMs);
  }
}
