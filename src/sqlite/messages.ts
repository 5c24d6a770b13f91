import type { CarriedError } from "./errors.ts";

/** Bounds what a worker does for its host: name -> function. Arguments and results go through structured cloning. */
// biome-ignore lint/suspicious/noExplicitAny: a bound for any signature; `never[]` would lose the parameters.
export type Calls<C> = { readonly [K in keyof C]: (...args: any[]) => unknown };

export interface Request {
  readonly id: number;
  readonly name: string;
  readonly args: unknown[];
}

export type Reply =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly error: CarriedError };

/** Ends a worker from its host: its last call runs, then its port closes and the thread ends by itself. */
export const CLOSE = "close";
