/**
 * The GPIO port. Pins are BCM numbers, always; the adapter finds the chip by its label.
 *
 * Errors: PIN_MISSING, PIN_BUSY, ACCESS_DENIED, FILE_IO.
 */
export interface Gpio extends AsyncDisposable {
  readonly name: string;
  /** Claims a pin as input until it is disposed of. */
  input(pin: number): Promise<GpioInput>;
}

export interface GpioInput extends AsyncDisposable {
  readonly pin: number;
  level(): Promise<Level>;
  /** Calls `listener` on each edge that the kernel reports, until disposal. One listener an input. */
  onEdge(listener: (edge: Edge) => void): void;
}

export type Level = 0 | 1;

export interface Edge {
  /** The level after the edge. */
  readonly level: Level;
  /** Monotonic milliseconds: the kernel's timestamp where the backend has one, else when we heard of it. */
  readonly monoMs: number;
}
