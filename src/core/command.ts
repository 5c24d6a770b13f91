/** What an output is asked to be, and for how long if not until the next command. */
export interface Command {
  readonly on: boolean | "toggle";
  readonly forMs?: number;
  /** When it was given, where it says so: wall milliseconds. */
  readonly atMs?: number;
}
