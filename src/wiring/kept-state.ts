import type { Clock } from "../core/clock.ts";
import type { Store } from "../store/store.ts";
import type { KeptState } from "./device-processing.ts";

/** A smoothed value that begins some minutes old does no harm; an event to stage for each reading is work. */
const SAVE_PERIOD_MS = 5 * 60_000;

/** What processing remembers, among the store's small values: as JSON, each key now and then. */
export function keptState(store: Pick<Store, "getMeta" | "setMeta">, clock: Pick<Clock, "monoMs">): KeptState {
  const savedMs = new Map<string, number>();
  return {
    load(key) {
      const text = store.getMeta(key);
      return text === undefined ? undefined : JSON.parse(text);
    },
    save(key, state) {
      const nowMs = clock.monoMs();
      if (nowMs - (savedMs.get(key) ?? Number.NEGATIVE_INFINITY) < SAVE_PERIOD_MS) return;
      savedMs.set(key, nowMs);
      store.setMeta(key, JSON.stringify(state));
    },
    saveNow: (key, state) => store.setMeta(key, JSON.stringify(state), "soon"),
  };
}
