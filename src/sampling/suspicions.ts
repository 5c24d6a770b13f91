import type { PartialFault } from "../core/device.ts";
import { formatDurationMs } from "../core/duration.ts";
import { GatewayError, isGatewayError } from "../core/errors.ts";
import type { Sample } from "../core/reading.ts";
import { ANSWERS_SEEN, answered, noAnswers } from "./damage.ts";
import { continued, isStuck, type Runs } from "./stuck.ts";
import type { Validated } from "./validate.ts";

/** From when on a device that answers is not to be believed. */
export interface Limits {
  /** Channel -> after so long of one and the same value it is stuck; without an entry it may stand still for ever. */
  readonly stuckAfterMs: Readonly<Record<string, number>>;
  /** So many percent of its answers may have a wrong checksum; they are read again, so it costs no value. */
  readonly damagedPercent: number;
}

/** What one device has given so far that makes it doubtful; it outlives the reopening of the device. */
export class Suspicions {
  readonly #limits: Limits;
  #runs: Runs = new Map();
  #answers = noAnswers;
  #stuck: readonly string[] = [];
  /** Channel -> since when its values are withheld. */
  readonly #withheld = new Map<string, number>();

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  /** After each attempt at a read, those that are repeated within a slot too. */
  attempted(error?: unknown): void {
    const isDamaged = isGatewayError(error, "CHECKSUM");
    if (error !== undefined && !isDamaged) return;
    this.#answers = answered(this.#answers, isDamaged, this.#limits.damagedPercent);
  }

  /** Takes out what is stuck: the device is at fault where nothing is left. */
  examine({ sample, fault, refused = [] }: Validated, nowMs: number): Validated {
    this.#runs = continued(this.#runs, sample, nowMs);
    this.#stuck = Object.keys(sample.values).filter((key) => this.#isStuck(key, nowMs));
    const sound = Object.keys(sample.values).filter((key) => !this.#stuck.includes(key));
    for (const key of sound) this.#withheld.delete(key);
    for (const key of [...refused, ...this.#stuck]) {
      if (!this.#withheld.has(key)) this.#withheld.set(key, nowMs);
    }
    if (this.#stuck.length === 0) return fault ? { sample, fault } : { sample };
    const left = without(sample, this.#stuck);
    const isEmpty = Object.keys(left.values).length === 0;
    const whole = fault ?? (isEmpty ? new GatewayError("STUCK", this.#sentences().join("; ")) : undefined);
    return whole ? { sample: left, fault: whole } : { sample: left };
  }

  /** What is wrong though values come. The sentences do not change while it lasts. */
  faults(): PartialFault[] {
    const stuck = this.#sentences().map((message, index) => ({ code: "STUCK", message, channel: this.#stuck[index] }));
    if (!this.#answers.isHigh) return stuck;
    const percent = this.#limits.damagedPercent;
    const message = `more than ${percent} % of the last ${ANSWERS_SEEN} answers had a wrong checksum, and were read again`;
    return [...stuck, { code: "CHECKSUM", message }];
  }

  /** What was seen so far counts no more: somebody has mended it, or knows better. */
  forget(): void {
    this.#runs = new Map();
    this.#answers = noAnswers;
    this.#stuck = [];
    this.#withheld.clear();
  }

  withheld(): ReadonlyMap<string, number> {
    return this.#withheld;
  }

  #isStuck(key: string, nowMs: number): boolean {
    return isStuck(this.#runs.get(key), this.#limits.stuckAfterMs[key], nowMs);
  }

  #sentences(): string[] {
    return this.#stuck.map((key) => {
      const after = formatDurationMs(this.#limits.stuckAfterMs[key] ?? 0);
      return `${key} has been ${this.#runs.get(key)?.value} to the last digit for ${after} or longer`;
    });
  }
}

function without({ values, quality }: Sample, keys: readonly string[]): Sample {
  const left = <T>(all: Readonly<Record<string, T>>) =>
    Object.fromEntries(Object.entries(all).filter(([key]) => !keys.includes(key)));
  return { values: left(values), ...(quality && { quality: left(quality) }) };
}
