import type { Board } from "../core/board.ts";
import type { Clock } from "../core/clock.ts";
import { isGatewayError } from "../core/errors.ts";
import type { Log } from "../core/log.ts";
import { quantityOf } from "../core/quantity.ts";
import type { StoredRecord } from "../core/reading.ts";

import type { Store } from "../store/store.ts";
import { DESTINATION } from "../uplink/backlog/destination.ts";
import { timeOf } from "../uplink/state.ts";
import { MissedHours, type Series, type SeriesOf } from "./hours.ts";
import { type HomeAssistantApi, importHours } from "./import.ts";

/** Reads the outbox along with the broker, so that what it has not counted yet survives a restart. */
export const HISTORY_READER = ".history";

const STEP_MS = 1000;
const BATCH = 500;
/** What reaches the broker later than this was missed by Home Assistant. */
const LATE_MS = 120_000;
const RETRY_MIN_MS = 60_000;
const RETRY_MAX_MS = 3_600_000;
/** Hours that wait for Home Assistant, over all channels; of more the oldest are given up. */
const WAITING_MAX = 20_000;
const WAITING_KEY = "history/waiting";

export interface HistoryDeps {
  readonly board: Pick<Board, "get">;
  readonly clock: Clock;
  readonly uniqueIdOf: (device: string, channel: string) => string;
  readonly log: Log;
  readonly open: (signal: AbortSignal) => Promise<HomeAssistantApi & Disposable>;
  readonly store: Pick<Store, "outbox" | "boots" | "getMeta" | "setMeta">;
}

/**
 * Fills the hours that an outage left empty in Home Assistant's statistics. It follows the readings that the broker has
 * got: those that came late make up the outage. Its hours wait in the store until Home Assistant has them.
 */
export class History {
  readonly #deps: HistoryDeps;
  #read: number;
  #missed: MissedHours | undefined;
  #lastMs = 0;
  #retryMonoMs = 0;
  #retryMs = RETRY_MIN_MS;

  constructor(deps: HistoryDeps) {
    this.#deps = deps;
    this.#read = deps.store.outbox.cursor(HISTORY_READER);
  }

  /** Until the signal, with whose reason it rejects. */
  async run(signal: AbortSignal): Promise<never> {
    for (;;) {
      await this.#deps.clock.sleep(STEP_MS, signal);
      await this.#follow();
      await this.#fill(signal);
    }
  }

  /** Readings that the broker has by now. */
  async #follow(): Promise<void> {
    const { log, store } = this.#deps;
    const { outbox } = store;
    const delivered = outbox.cursor(DESTINATION);
    try {
      while (this.#read < delivered) {
        const records = await outbox.after(this.#read, BATCH, HISTORY_READER);
        const due = records.filter(({ position }) => position <= delivered);
        for (const record of due) this.#take(record);
        this.#read = due.at(-1)?.position ?? delivered;
      }
    } catch (error) {
      if (!isGatewayError(error)) throw error;
      log.warn("what was missed cannot be read", { error: error.message });
      return;
    }
    if (this.#missed && this.#read === outbox.head) this.#end(this.#lastMs);
    // In the same turn as the hours were saved, so one transaction has both: the disk never lets go of readings whose
    // hours it does not have.
    if (!this.#missed && outbox.cursor(HISTORY_READER) < this.#read) outbox.acknowledge(HISTORY_READER, this.#read);
  }

  #take({ record }: StoredRecord): void {
    const { board, clock } = this.#deps;
    const time = timeOf(this.#deps, record.at);
    if (time.clock !== "synced") return; // of which hour it is, nobody knows
    const isLate = clock.wallMs() - time.wallMs > LATE_MS;
    if (!isLate && this.#missed) this.#end(time.wallMs);
    if (!isLate) return;
    this.#missed ??= new MissedHours(time.wallMs);
    this.#lastMs = time.wallMs;
    const channels = board.get(record.device)?.info.channels ?? [];
    for (const channel of channels) {
      const value = record.values[channel.key];
      const kind = quantityOf(channel.quantity).stateClass;
      if (typeof value !== "number" || kind === undefined || channel.settable) continue;
      const of: SeriesOf = {
        device: record.device,
        channel: channel.key,
        kind,
        ...(channel.unit !== undefined && { unit: channel.unit }),
      };
      this.#missed.add(of, time.wallMs, value);
    }
  }

  /** The outage is over: its whole hours wait for Home Assistant, and its readings need not wait any more. */
  #end(endedMs: number): void {
    const series = this.#missed?.until(endedMs) ?? [];
    this.#missed = undefined;
    if (series.length === 0) return;
    this.#save(bounded([...this.#waiting(), ...series]));
    this.#retryMonoMs = 0;
    this.#retryMs = RETRY_MIN_MS;
  }

  async #fill(signal: AbortSignal): Promise<void> {
    const { clock, uniqueIdOf, log, open } = this.#deps;
    const nowMonoMs = clock.monoMs();
    if (nowMonoMs < this.#retryMonoMs) return;
    const waiting = this.#waiting();
    if (waiting.length === 0) return;
    try {
      using api = await open(signal);
      for (const { series, entity, hours, skipped } of await importHours(api, uniqueIdOf, waiting, clock.wallMs())) {
        const what = { device: series.device, channel: series.channel, ...(entity && { entity }) };
        if (skipped)
          log.warn("missed hours were not put into Home Assistant's statistics", { ...what, reason: skipped });
        else log.info("missed hours are in Home Assistant's statistics", { ...what, hours });
      }
      this.#save([]);
      this.#retryMs = RETRY_MIN_MS;
    } catch (error) {
      if (!isGatewayError(error)) throw error;
      if (signal.aborted) return;
      log.warn("missed hours wait for Home Assistant", { error: error.message, again_s: this.#retryMs / 1000 });
      this.#retryMonoMs = nowMonoMs + this.#retryMs;
      this.#retryMs = Math.min(RETRY_MAX_MS, this.#retryMs * 2);
    }
  }

  #waiting(): Series[] {
    return JSON.parse(this.#deps.store.getMeta(WAITING_KEY) ?? "[]");
  }

  #save(series: readonly Series[]): void {
    this.#deps.store.setMeta(WAITING_KEY, JSON.stringify(series), "soon");
  }
}

/** The newest outages, as many of their hours as may wait. */
function bounded(all: readonly Series[]): Series[] {
  let left = WAITING_MAX;
  const kept: Series[] = [];
  for (const series of all.toReversed()) {
    if (series.hours.length > left) break;
    left -= series.hours.length;
    kept.unshift(series);
  }
  return kept;
}
