import { isSecretKey, maskLine } from "./mask.ts";
import { type Path, pathText } from "./paths.ts";
import { type Finding, MAX_PROBLEMS, type Problem, type Severity, type Span } from "./problems.ts";
import { printable, type SourceText } from "./source-text.ts";
import type { YamlTree } from "./yaml/source.ts";

/** From findings in a tree to problems in a file: which of them are told, where, and what of the text is shown. */

/** Without what syntax errors make doubtful: what may stand in a line that could not be read, or anything behind it. */
export function trusted(findings: readonly Finding[], tree: YamlTree, source: SourceText): Finding[] {
  const { brokenFrom } = tree;
  if (brokenFrom === undefined) return findings.filter((finding) => !mayBeBlanked(finding, tree, source));
  const ofSyntax = new Set(tree.findings);
  return findings.filter(
    (finding) => ofSyntax.has(finding) || ("path" in finding.at && isBefore(finding.at, brokenFrom, tree)),
  );
}

/** Is a line left out in the section or device that lacks something, or just behind it? */
function mayBeBlanked({ at, absence }: Finding, { blanked, spanOf }: YamlTree, source: SourceText): boolean {
  if (!absence || !("path" in at)) return false;
  const { start, end } = spanOf(at.path.slice(0, at.path[0] === "devices" ? 2 : 1), "value");
  const endsAt = (offset: number) => offset <= end || source.slice({ start: end, end: offset }).trim() === "";
  return blanked.some((span) => span.start >= start && endsAt(span.start));
}

/** The first of them, errors before notices. */
export function limited(findings: readonly Finding[], tree: YamlTree): Finding[] {
  if (findings.length <= MAX_PROBLEMS) return [...findings];
  const startOf = ({ at }: Finding): number => ("path" in at ? tree.spanOf(at.path, at.part).start : at.start);
  const ranked = findings
    .map((finding) => ({ finding, rank: severities.indexOf(finding.severity), start: startOf(finding) }))
    .sort((a, b) => a.rank - b.rank || a.start - b.start)
    .map(({ finding }) => finding);
  const [next] = ranked.slice(MAX_PROBLEMS);
  const message = `there is more than these ${MAX_PROBLEMS}: correct them first`;
  return [...ranked.slice(0, MAX_PROBLEMS), ...(next ? [{ ...next, message }] : [])];
}

const severities: readonly Severity[] = ["error", "warning", "inactive"];

function isBefore(
  at: { readonly path: Path; readonly part: "key" | "value" },
  offset: number,
  tree: YamlTree,
): boolean {
  return at.path.length > 0 && tree.spanOf(at.path, at.part).end < offset;
}

/** One line of the value as written, without secrets. */
export function shownValue(path: Path, tree: YamlTree, source: SourceText): string | undefined {
  const key = path.findLast((step) => typeof step === "string");
  if (typeof key === "string" && isSecretKey(key)) return undefined;
  const span = tree.spanOf(path, "value");
  // Without a value the place is the key's.
  if (span.start === tree.spanOf(path, "key").start && path.length > 0 && typeof path.at(-1) === "string")
    return undefined;
  const written = source.slice(span);
  const isShort =
    written.length <= 60 && !written.includes("\n") && !/^[[{]/.test(written) && !/^[^"'\s]+:\s/.test(written);
  return isShort ? printable(maskLine(written)) : undefined;
}

export function problemOf(
  { severity, message, at }: Finding,
  file: string,
  source: SourceText,
  tree: YamlTree,
): Problem {
  const span: Span = "path" in at ? tree.spanOf(at.path, at.part) : at;
  const place = source.placeOf(span);
  const path = "path" in at && at.path.length ? { path: printable(pathText(at.path)) } : {};
  const sourceLine = source.shownLine(place.line, tree.secrets);
  return {
    severity,
    message: printable(message),
    file,
    ...place,
    ...path,
    ...(sourceLine !== undefined && { sourceLine }),
  };
}

/** In the order of the file, errors before notices of the same place, one problem said once. */
export function sorted(problems: readonly Problem[]): Problem[] {
  const unique = new Map(
    problems.map((problem) => [`${problem.file}:${problem.line}:${problem.column}:${problem.message}`, problem]),
  );
  return [...unique.values()].sort(
    (a, b) =>
      a.file.localeCompare(b.file) ||
      (a.line ?? 0) - (b.line ?? 0) ||
      (a.column ?? 0) - (b.column ?? 0) ||
      severities.indexOf(a.severity) - severities.indexOf(b.severity),
  );
}
