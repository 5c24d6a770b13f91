import { dirname } from "node:path";
import type { Driver } from "../drivers/driver.ts";
import { deviceFindings } from "./checks-devices.ts";
import { networkFindings } from "./checks-network.ts";
import { fileReferences, withAbsolutePaths } from "./file-references.ts";
import { inactiveFindings } from "./inactive.ts";
import { findingsOf } from "./issues.ts";
import { isSecretKey, maskLine } from "./mask.ts";
import { isMapping, type Path, pathText } from "./paths.ts";
import {
  ConfigError,
  errorAt,
  type Finding,
  MAX_PROBLEMS,
  type Notice,
  type Problem,
  type Severity,
  type Span,
} from "./problems.ts";
import { type Config, configSchema, type DeviceConfig } from "./schema/config.ts";
import { printable, type SourceText, sourceText } from "./source-text.ts";
import { textResolver, type ValueSources } from "./text-values.ts";
import { readYaml, type YamlTree } from "./yaml-source.ts";

export interface ParseOptions extends ValueSources {
  /** As shown in problems; relative paths in the configuration are meant from its folder. */
  readonly file: string;
  readonly drivers: readonly Driver[];
}

export interface Examined {
  /** Absent when there are errors among the problems. */
  readonly config: Config | undefined;
  readonly problems: readonly Problem[];
  /** Files that must exist, for who can look, with the problem that it is when they do not. */
  readonly fileReferences: readonly {
    readonly file: string;
    problem(severity: "error" | "warning", message: string): Problem;
  }[];
}

/** Text -> Config, without touching the world. Throws ConfigError with every mistake at once. */
export function parseConfig(text: string, options: ParseOptions): { config: Config; notices: readonly Notice[] } {
  return accepted(examineConfig(text, options));
}

/** The configuration and its notices, or ConfigError. */
export function accepted({ config, problems }: Pick<Examined, "config" | "problems">): {
  config: Config;
  notices: readonly Notice[];
} {
  const notices = problems.filter(isNotice);
  if (!config || notices.length < problems.length) throw new ConfigError(problems);
  return { config, notices };
}

/** Everything that can be said about the text, whether it is valid or not. */
export function examineConfig(text: string, options: ParseOptions): Examined {
  const source = sourceText(text);
  const tree = readYaml(text, textResolver(options));
  const locate = (finding: Finding): Problem => problemOf(finding, options.file, source, tree);
  const folder = dirname(options.file);
  const value = withAbsolutePaths(withoutEmptySections(tree.value), folder);
  const { config, findings } = validate(value, tree, source, options.drivers);
  return {
    config,
    problems: sorted(limited(trusted(findings, tree), tree).map(locate)),
    fileReferences: fileReferences(value, folder).map(({ file, path }) => ({
      file,
      problem: (severity, message) => locate({ severity, message, at: { path, part: "value" } }),
    })),
  };
}

function validate(
  value: unknown,
  tree: YamlTree,
  source: SourceText,
  drivers: readonly Driver[],
): { findings: Finding[]; config: Config | undefined } {
  const findings = [...tree.findings];
  if (value === undefined || value === null) {
    const message = "nothing is configured here: `fieldpost setup` writes a first configuration";
    const empty: Finding = { severity: "error", message, at: { start: 0, end: 0 } };
    return { findings: findings.length ? findings : [empty], config: undefined };
  }
  if (!isMapping(value)) {
    const message = "expected sections such as `mqtt:` and `devices:` at the top";
    return { findings: findings.length ? findings : [errorAt([], message)], config: undefined };
  }
  const parsed = configSchema(drivers).safeParse(value);
  const shown = (path: Path): string | undefined => shownValue(path, tree, source);
  if (parsed.error) findings.push(...findingsOf(parsed.error.issues, { tree: value, drivers, shown }));
  findings.push(...deviceFindings(value, drivers), ...networkFindings(value), ...inactiveFindings(value));
  if (!parsed.success) return { findings, config: undefined };
  findings.push(...parsed.data.devices.flatMap(driverNotices));
  return { findings, config: parsed.data };
}

/** A section whose keys are all commented out is an absent one. */
function withoutEmptySections(value: unknown): unknown {
  return isMapping(value) ? Object.fromEntries(Object.entries(value).filter(([, section]) => section !== null)) : value;
}

function driverNotices({ driver, options }: DeviceConfig, index: number): Finding[] {
  const notices = driver.notices?.(options) ?? [];
  return notices.map((message) => ({
    severity: "warning",
    message,
    at: { path: ["devices", index, "driver"], part: "value" },
  }));
}

/** Behind a syntax error only that error is worth telling. */
function trusted(findings: readonly Finding[], tree: YamlTree): Finding[] {
  const { brokenFrom } = tree;
  if (brokenFrom === undefined) return [...findings];
  const ofSyntax = new Set(tree.findings);
  return findings.filter(
    (finding) => ofSyntax.has(finding) || ("path" in finding.at && isBefore(finding.at, brokenFrom, tree)),
  );
}

/** The first of them, errors before notices. */
function limited(findings: readonly Finding[], tree: YamlTree): Finding[] {
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
function shownValue(path: Path, tree: YamlTree, source: SourceText): string | undefined {
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

function problemOf({ severity, message, at }: Finding, file: string, source: SourceText, tree: YamlTree): Problem {
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

function isNotice(problem: Problem): problem is Notice {
  return problem.severity !== "error";
}
