import type { Pull } from "../gpio.ts";

/** Masks: bit 0 is pin 0. */
export interface ExpanderState {
  /** Pins that are not driven. */
  readonly inputs: number;
  /** The levels of those that are. */
  readonly latch: number;
  readonly pullUps: number;
  /** Inputs whose changes the chip is to notice. */
  readonly watched: number;
}

export interface ExpanderLook {
  readonly levels: number;
  /** Pins that changed since the look before, and the levels that they changed to first: shorter pulses than looks. */
  readonly changed?: { readonly pins: number; readonly levels: number };
}

/** An expander's registers. Errors are those of the I2C port. */
export interface ExpanderChip {
  readonly lines: number;
  readonly pulls: readonly Pull[];
  /** As a process before us left it. */
  begin(): Promise<ExpanderState>;
  /** Levels first, and only then directions: an output is never at another level. */
  arrange(state: ExpanderState): Promise<void>;
  /** Levels alone. */
  drive(state: ExpanderState): Promise<void>;
  look(): Promise<ExpanderLook>;
  /** False where a brown-out has reset the chip. */
  holds(state: ExpanderState): Promise<boolean>;
}
