import { maskLine } from "./mask.ts";
import type { Span } from "./problems.ts";

/** Nobody writes longer lines, and masking takes its time. */
const MAX_SHOWN_LINE = 2000;

/** The text of a file by line and column. */
export interface SourceText {
  readonly text: string;
  /** Line and column from 1, the column in characters; `length` within that line. */
  placeOf(span: Span): { line: number; column: number; length: number };
  /** The text between two offsets. */
  slice(span: Span): string;
  /** A line (from 1) fit to be shown: no control characters, secrets masked; `undefined` if it is too long for that. */
  shownLine(line: number, secrets: readonly Span[]): string | undefined;
}

export function sourceText(text: string): SourceText {
  const starts = lineStarts(text);
  const lineIndexOf = (offset: number): number => {
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if ((starts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return low;
  };
  const startOf = (index: number): number => starts[index] ?? text.length;
  const endOf = (index: number): number =>
    Math.max(startOf(index), startOf(index + 1) - (index + 1 < starts.length ? 1 : 0));

  return {
    text,
    slice: ({ start, end }) => text.slice(start, end),
    placeOf({ start, end }) {
      const index = lineIndexOf(start);
      const column = charactersOf(text.slice(startOf(index), start)) + 1;
      const length = charactersOf(text.slice(start, Math.min(end, endOf(index))).trimEnd());
      return { line: index + 1, column, length: Math.max(1, length) };
    },
    shownLine(line, secrets) {
      const start = startOf(line - 1);
      const end = endOf(line - 1);
      if (end - start > MAX_SHOWN_LINE) return undefined;
      const continued = secrets.some((secret) => secret.start < start && secret.end > start);
      return continued ? "***" : printable(maskLine(text.slice(start, end)));
    },
  };
}

function lineStarts(text: string): number[] {
  const starts = [0];
  for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
  return starts;
}

function charactersOf(text: string): number {
  let count = 0;
  for (const _ of text) count += 1;
  return count;
}

/** Nothing in a file may steer the terminal that it is shown on; a tab counts as one column. */
export function printable(text: string): string {
  return text
    .replaceAll("\t", " ")
    .trimEnd()
    .replaceAll(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, "·");
}
