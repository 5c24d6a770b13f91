import type { FileWrite } from "./files.ts";

/**
 * The GPIO port. Pins are BCM numbers, always; the adapter finds the chip by its label.
 *
 * Errors: PIN_MISSING, PIN_BUSY, ACCESS_DENIED, TOOL_MISSING, FILE_IO.
 */
export interface Gpio extends AsyncDisposable {
  readonly name: string;
  /** Claims a pin as input until it is disposed of. */
  input(pin: number, wishes?: InputWishes): Promise<GpioInput>;
  /** Claims a pin as output until it is disposed of. Its first level is `initial`: it is driven to no other before. */
  output(pin: number, initial: Level): Promise<GpioOutput>;
}

/** What drivers see of all pins that there are. */
export interface Pins {
  input(pin: Pin, wishes?: InputWishes): Promise<GpioInput>;
  output(pin: Pin, initial: Level): Promise<GpioOutput>;
}

/** A BCM number, or a pin of an expander by its device's id. */
export type Pin = number | { readonly expander: string; readonly pin: number };

export interface InputWishes {
  /** Pull resistor inside the SoC; left as it is where this is absent. */
  readonly pull?: Pull;
  /** Edges shall carry the kernel's time where a backend of this machine has it. */
  readonly kernelTime?: boolean;
  /** Edges may be told this much later, many at once: a fast counter wakes the process less often. */
  readonly batchMs?: number;
}

export type Pull = "up" | "down" | "off";

export interface GpioInput extends AsyncDisposable {
  readonly pin: number;
  level(): Promise<Level>;
  /** Calls `listener` on each edge that the kernel reports, until disposal. One listener an input. */
  onEdge(listener: (edge: Edge) => void): void;
  /** How often it was seen that edges got lost: an event without a change, two in a row to one level, a helper that died. */
  readonly losses: number;
}

/** A pin that is driven. What becomes of the level at disposal is the backend's business: sysfs holds it. */
export interface GpioOutput extends AsyncDisposable {
  readonly pin: number;
  set(level: Level): Promise<void>;
  /** Read back, as far as the backend can. */
  level(): Promise<Level>;
  /** How it is set when this process is dead; left out where no file does that. */
  byFile?(level: Level): FileWrite;
}

export type Level = 0 | 1;

export interface Edge {
  /** The level after the edge. */
  readonly level: Level;
  /** Monotonic milliseconds: the kernel's timestamp where the backend has one, else when we heard of it. */
  readonly monoMs: number;
}
