import { GatewayError } from "../core/errors.ts";
import type { Path } from "./paths.ts";

/** What is told of one file at most: whoever has more mistakes has taken the wrong file. */
export const MAX_PROBLEMS = 200;

/** `inactive`: valid, understood, and without effect in this version. */
export type Severity = "error" | "warning" | "inactive";

/** One thing to tell about the configuration, free of secrets: ready to print or to send as JSON. */
export interface Problem {
  readonly severity: Severity;
  readonly message: string;
  readonly file: string;
  /** From 1; absent where it concerns the file as a whole. */
  readonly line?: number;
  /** From 1, in characters. */
  readonly column?: number;
  /** How many characters the caret underlines. */
  readonly length?: number;
  /** `devices[0].interval`. */
  readonly path?: string;
  /** The line as it stands in the file, secrets masked. */
  readonly sourceLine?: string;
}

/** What is told though the configuration is valid. */
export type Notice = Problem & { readonly severity: "warning" | "inactive" };

/** A problem before it is looked up in the text. */
export interface Finding {
  readonly severity: Severity;
  readonly message: string;
  readonly at: { readonly path: Path; readonly part: "key" | "value" } | Span;
  /** It is about something that is not there: not to be told where a line could not be read. */
  readonly absence?: true;
}

/** Offsets into the text, in UTF-16 units. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** The configuration is wrong: CONFIG_INVALID, with every problem that was found and the notices beside them. */
export class ConfigError extends GatewayError {
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[], options?: { readonly cause?: unknown }) {
    super("CONFIG_INVALID", summaryOf(problems), options);
    this.problems = problems;
  }
}

export function isConfigError(error: unknown): error is ConfigError {
  return error instanceof ConfigError;
}

export function errorAt(path: Path, message: string, part: "key" | "value" = "value"): Finding {
  return { severity: "error", message, at: { path, part } };
}

/** Something is missing at `path`. */
export function absentAt(path: Path, message: string, part: "key" | "value" = "value"): Finding {
  return { ...errorAt(path, message, part), absence: true };
}

function summaryOf(problems: readonly Problem[]): string {
  const errors = problems.filter((problem) => problem.severity === "error");
  const [first] = errors;
  if (!first) return "the configuration is not valid";
  const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : "";
  return `${placeOf(first)}: ${first.message}${more}`;
}

/** `file:line:column`. */
export function placeOf({ file, line, column }: Problem): string {
  return line === undefined ? file : `${file}:${line}:${column ?? 1}`;
}
