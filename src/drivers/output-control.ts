/** What an output can be: on or off, or a level from 0 on. */
export type OutputState = boolean | number;

/** Times in milliseconds; what is left out does not bind. */
export interface OutputPolicy<State extends OutputState> {
  readonly safe: State;
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

export interface Decision<State extends OutputState> {
  readonly state: State;
  readonly cause: Cause;
  /** When to look again, whatever happens; undefined where only a command can change something. */
  readonly againMs: number | undefined;
}

/** What one output shall be, from commands and the passing of time alone: monotonic milliseconds, given by the caller. */
export class OutputControl<State extends OutputState> {
  readonly #policy: OutputPolicy<State>;
  #wanted: State;
  #cause: Cause = "start";
  #state: State;
  /** Since when it is as it is. */
  #sinceMs: number;
  /** Since when it is away from its safe state, at whatever levels. */
  #awayMs: number;
  /** When a controller was heard for the last time. */
  #heardMs: number;
  /** The end of a pulse, and what it ends in. */
  #pulse: { readonly endMs: number; readonly next: State } | undefined;

  constructor(policy: OutputPolicy<State>, state: State, nowMs: number) {
    this.#policy = policy;
    this.#wanted = state;
    this.#state = state;
    this.#sinceMs = nowMs;
    this.#awayMs = nowMs;
    this.#heardMs = nowMs;
  }

  /** Is it, or does it want to be, in the state that is not safe? */
  get isAway(): boolean {
    return this.#state !== this.#policy.safe;
  }

  get wantsAway(): boolean {
    return this.#wanted !== this.#policy.safe;
  }

  get wanted(): State {
    return this.#wanted;
  }

  /** `then`: so long, and what it is to be after that. */
  command(state: State, nowMs: number, then?: { readonly forMs: number; readonly next: State }): void {
    this.#want(state, "command");
    this.heard(nowMs);
    this.#pulse = then && { endMs: nowMs + then.forMs, next: then.next };
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
  look(nowMs: number, blocked = false): Decision<State> {
    this.#endPulse(nowMs);
    this.#beSafe(nowMs);
    if (this.#wanted !== this.#state && this.#may(nowMs, blocked)) {
      if (!this.isAway) this.#awayMs = nowMs;
      this.#state = this.#wanted;
      this.#sinceMs = nowMs;
    }
    return { state: this.#state, cause: this.#cause, againMs: this.#againMs(nowMs) };
  }

  #want(state: State, cause: Cause): void {
    this.#wanted = state;
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
    const waits = this.#wanted !== this.#state ? this.#restEndMs() : undefined;
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
    return maxOnMs === undefined ? undefined : this.#awayMs + maxOnMs;
  }

  #failsafeMs(): number | undefined {
    const { failsafeAfterMs } = this.#policy;
    return failsafeAfterMs === undefined ? undefined : this.#heardMs + failsafeAfterMs;
  }

  #restEndMs(): number {
    return this.#sinceMs + (this.#state ? this.#policy.minOnMs : this.#policy.minOffMs);
  }
}
