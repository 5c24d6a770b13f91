/** What a command's run may end with (contract: command line). */
export const EXIT = { ok: 0, unwell: 1, usage: 2, unreachable: 3 } as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** The world around a command. */
export interface Io {
  out(text: string): void;
  err(text: string): void;
  /** May the text for people have colours? */
  readonly color: boolean;
  readonly env: NodeJS.ProcessEnv;
  readonly uid: number;
  /** Aborted by SIGTERM and SIGINT. */
  readonly signal: AbortSignal;
  /** Calls back on each SIGHUP, until the returned function is called. */
  onReload(listener: () => void): () => void;
}

export interface Invocation {
  readonly args: readonly (string | undefined)[];
  readonly options: Readonly<Record<string, unknown>>;
  /** `--config`. */
  readonly configFile: string;
  /** `--json`. */
  readonly json: boolean;
  readonly io: Io;
}

/** A row of the command table: help, parsing and the README's list derive from it. */
export interface Command {
  readonly name: string;
  /** As commander writes them: `DEVICE` required, `[DEVICE]` not. */
  readonly arguments?: readonly { readonly name: string; readonly about: string; readonly optional?: true }[];
  readonly summary: string;
  readonly options?: readonly { readonly flags: string; readonly about: string }[];
  /** Prints data, so it takes `--json`. */
  readonly printsData?: true;
  readonly example: string;
  run(invocation: Invocation): Promise<ExitCode>;
}
