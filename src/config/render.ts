import { type Problem, placeOf, type Severity } from "./problems.ts";

/** Problems shown at most; the rest is counted in a last line. */
const MAX_SHOWN = 100;
/** Characters of a source line shown at most. */
const MAX_LINE_WIDTH = 120;

const marks = {
  error: { word: "error", color: 31 },
  warning: { word: "warning", color: 33 },
  inactive: { word: "notice", color: 36 },
} as const satisfies Record<Severity, { word: string; color: number }>;

/** Text for people: each problem with its place, its line and a caret; no trailing newline. */
export function render(problems: readonly Problem[], { color }: { readonly color: boolean }): string {
  const shown = problems.slice(0, MAX_SHOWN).map((problem) => renderOne(problem, color));
  const left = problems.length - shown.length;
  return [...shown, ...(left > 0 ? [`and ${left} more`] : [])].join("\n");
}

function renderOne(problem: Problem, color: boolean): string {
  const { word, color: code } = marks[problem.severity];
  const mark = color ? `\x1b[${code}m${word}\x1b[0m` : word;
  const where = color ? `\x1b[1m${placeOf(problem)}\x1b[0m` : placeOf(problem);
  return [`${where}: ${mark}: ${problem.message}`, ...excerpt(problem, color ? code : undefined)].join("\n");
}

function excerpt({ sourceLine, line, column = 1, length = 1 }: Problem, code: number | undefined): string[] {
  if (sourceLine === undefined || line === undefined) return [];
  const characters = [...sourceLine];
  const from = column > MAX_LINE_WIDTH ? column - Math.floor(MAX_LINE_WIDTH / 2) : 0;
  const shown = characters.slice(from, from + MAX_LINE_WIDTH);
  const indent = Math.min(column - 1 - from, shown.length);
  const caret = "^".repeat(Math.max(1, Math.min(length, shown.length - indent)));
  const gutter = `${line}`.padStart(5);
  return [
    `${gutter} | ${shown.join("")}`,
    `${" ".repeat(gutter.length)} | ${" ".repeat(indent)}${code ? `\x1b[${code}m${caret}\x1b[0m` : caret}`,
  ];
}
