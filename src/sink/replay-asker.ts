import type { Clock } from "../core/clock.ts";
import type { EpochEnd, GapRow, Hole, Progress } from "./sink-calls.ts";
import type { ReplayAnswer } from "./wire.ts";

/** What is missing may only be late. */
const LATE_MS = 3000;
/** Without an answer it is asked again after so long, and twice as long each time. */
const AGAIN_MS = 10_000;
const AGAIN_MOST_MS = 600_000;

interface Asked extends Hole {
  readonly epoch: number;
  readonly sinceMonoMs: number;
  times: number;
  nextMonoMs: number;
}

/** Asks gateways for the holes in what arrived, and learns from their answers what will never come. */
export class ReplayAsker {
  readonly #clock: Clock;
  readonly #asked = new Map<string, Asked>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The requests that are due, by gateway. */
  due(
    progress: Iterable<Progress>,
  ): { readonly gateway: string; readonly request: Hole & { readonly epoch: number } }[] {
    const nowMonoMs = this.#clock.monoMs();
    const found: { gateway: string; request: Hole & { epoch: number } }[] = [];
    for (const { gateway, epoch, hole } of progress) {
      if (!hole) {
        this.#asked.delete(gateway);
        continue;
      }
      let asked = this.#asked.get(gateway);
      if (!asked || asked.epoch !== epoch || asked.from !== hole.from) {
        asked = { ...hole, epoch, sinceMonoMs: nowMonoMs, times: 0, nextMonoMs: nowMonoMs + LATE_MS };
        this.#asked.set(gateway, asked);
      }
      if (nowMonoMs < asked.nextMonoMs) continue;
      asked.nextMonoMs = nowMonoMs + Math.min(AGAIN_MOST_MS, AGAIN_MS * 2 ** asked.times++);
      found.push({ gateway, request: { epoch, ...hole } });
    }
    return found;
  }

  /**
   * What an answer says of the hole that was asked for. Answers to others, and those that nobody asked for, say nothing:
   * what they called missing would be confirmed without having come.
   */
  learn(gateway: string, answer: ReplayAnswer, progress: Progress | undefined): { gaps: GapRow[]; ends: EpochEnd[] } {
    const asked = this.#asked.get(gateway);
    const nothing = { gaps: [], ends: [] };
    if (!asked || asked.times === 0 || progress?.epoch !== asked.epoch) return nothing;
    if (!answer.ok) return answer.code === "EPOCH_UNKNOWN" ? this.#gone(gateway, asked) : nothing;
    if (answer.epoch !== asked.epoch || answer.from === undefined || answer.from > asked.from) return nothing;
    // The rest of a long range is asked for without waiting.
    asked.nextMonoMs = this.#clock.monoMs() + LATE_MS;
    asked.times = 1;
    const { epoch } = asked;
    const gaps = answer.missing.map(([from, to]) => ({ gateway, epoch, from, to, reason: "not_held" }));
    const ends = answer.last === undefined ? [] : [{ gateway, epoch, last: answer.last }];
    return { gaps, ends: asked.to === undefined ? ends : [] };
  }

  /** The gateway has forgotten the epoch, so what is missing of it will not come, and where it ended nobody knows. */
  #gone(gateway: string, { epoch, from, to }: Asked): { gaps: GapRow[]; ends: EpochEnd[] } {
    if (to === undefined) return { gaps: [], ends: [{ gateway, epoch, last: from - 1 }] };
    return { gaps: [{ gateway, epoch, from, to, reason: "epoch_forgotten" }], ends: [] };
  }
}
