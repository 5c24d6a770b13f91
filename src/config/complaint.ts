import type { z } from "zod";
import { didYouMean } from "./suggest.ts";

type Issue = z.core.$ZodIssue;

/** What was expected in the place of `value`. */
export function complaint(issue: Issue, value: unknown): string {
  switch (issue.code) {
    case "invalid_type":
      return `expected ${kinds[issue.expected] ?? issue.expected}${typeHint(issue.expected, value)}`;
    case "invalid_value":
      return `expected ${oneOf(issue.values)}${meantValue(value, issue.values)}`;
    case "invalid_union":
      return unionComplaint(issue.errors, value);
    case "too_small":
      return bound(issue.origin, issue.minimum, "at least", issue.inclusive !== false);
    case "too_big":
      return bound(issue.origin, issue.maximum, "at most", issue.inclusive !== false);
    default:
      return issue.message;
  }
}

const kinds: Readonly<Record<string, string>> = {
  string: "text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  object: "a mapping (`key: value` lines, indented)",
  record: "a mapping (`key: value` lines, indented)",
  array: "a list (lines that begin with `- `)",
};

function typeHint(expected: string, value: unknown): string {
  if (value === null) return "; there is no value here";
  if (expected === "string" && typeof value !== "object") return ": put it in quotes";
  if (expected === "boolean" && typeof value === "string") {
    const meant = booleanWords[value.toLowerCase()];
    return meant === undefined ? "" : `; did you mean \`${meant}\`?`;
  }
  if (expected === "int" || expected === "number")
    return typeof value === "string" && value.trim() !== "" && Number.isFinite(Number(value)) ? ", without quotes" : "";
  return "";
}

const booleanWords: Readonly<Record<string, boolean>> = {
  yes: true,
  on: true,
  y: true,
  no: false,
  off: false,
  n: false,
};

function oneOf(values: readonly unknown[]): string {
  const words = [...new Set(values.map((value) => `\`${String(value)}\``))];
  return words.length > 1 ? `one of ${words.join(", ")}` : `${words[0]}`;
}

function meantValue(value: unknown, values: readonly unknown[]): string {
  return typeof value === "string" ? didYouMean(value, values.map(String)) : "";
}

/** No alternative fits at all: name them. */
function unionComplaint(branches: readonly (readonly Issue[])[], value: unknown): string {
  const issues = branches.flat().flatMap(leaves);
  const values = issues.flatMap((issue) => (issue.code === "invalid_value" ? issue.values : []));
  const types = issues.flatMap((issue) =>
    issue.code === "invalid_type" ? [kinds[issue.expected] ?? issue.expected] : [],
  );
  const expected = [...(values.length ? [oneOf(values)] : []), ...new Set(types)];
  return `expected ${expected.join(", or ")}${meantValue(value, values)}`;
}

function leaves(issue: Issue): Issue[] {
  return issue.code === "invalid_union" ? issue.errors.flat().flatMap(leaves) : [issue];
}

function bound(origin: string, limit: number | bigint, word: string, inclusive: boolean): string {
  const amount = inclusive ? `${limit}` : `more than ${limit}`;
  if (origin === "string")
    return limit === 1 && word === "at least" ? "expected some text" : `expected ${word} ${amount} characters`;
  if (origin === "array" || origin === "set") return `expected ${word} ${amount} ${limit === 1 ? "item" : "items"}`;
  return inclusive ? `expected ${word} ${amount}` : `expected ${word === "at least" ? "more" : "less"} than ${limit}`;
}
