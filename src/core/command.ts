/**
 * What an output is asked to be, or a counter to go on from; for how long, if not until the next command. `1` and `0` can mean
 * either: then both are there, and the driver takes what it needs.
 */
export interface Command {
  readonly on?: boolean | "toggle";
  readonly value?: number;
  /** As the configuration has it. */
  readonly reset?: true;
  readonly forMs?: number;
  /** When it was given, where it says so: wall milliseconds. */
  readonly atMs?: number;
}
