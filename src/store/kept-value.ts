import type { Store, Urgency } from "./store.ts";

/** One small value that outlives the process: a pulse total, an output's state, a filter's or a baseline's memory. */
export interface KeptValue<T> {
  /** Undefined before the first `set`, and for what `parse` does not take: an older version may have written it. */
  get(): T | undefined;
  /** Survives `kill -9` at once; a power cut as its urgency says. Never waits. */
  set(value: T): void;
}

/** `parse` makes of JSON what was set, or undefined. */
export function keptValue<T>(
  store: Pick<Store, "getMeta" | "setMeta">,
  key: string,
  parse: (json: unknown) => T | undefined,
  urgency: Urgency,
): KeptValue<T> {
  return {
    get() {
      const text = store.getMeta(key);
      return text === undefined ? undefined : parse(JSON.parse(text));
    },
    set: (value) => store.setMeta(key, JSON.stringify(value), urgency),
  };
}
