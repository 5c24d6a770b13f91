import { dirname } from "node:path";
import type { Driver } from "../drivers/driver.ts";
import { deviceFindings } from "./checks/devices.ts";
import { entityFindings } from "./checks/entities.ts";
import { networkFindings } from "./checks/network.ts";
import { fileReferences, withAbsolutePaths } from "./file-references.ts";
import { inactiveFindings } from "./inactive.ts";
import { findingsOf } from "./issues.ts";
import { limited, problemOf, shownValue, sorted, trusted } from "./locate.ts";
import { isMapping, type Path } from "./paths.ts";
import { ConfigError, errorAt, type Finding, type Notice, type Problem } from "./problems.ts";
import { type Config, configSchema, type DeviceConfig } from "./schema/config.ts";
import { type SourceText, sourceText } from "./source-text.ts";
import { textResolver, type ValueSources } from "./text-values.ts";
import { withTypedReferences } from "./typed-references.ts";
import { readYaml, type YamlTree } from "./yaml/source.ts";

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
    /** The key that it stands under: `cert`. */
    readonly key: string | number | undefined;
    problem(severity: "error" | "warning", message: string): Problem;
  }[];
  /** Where something is in the text, for who finds more that is wrong. */
  locate(finding: Finding): Problem;
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
    locate,
    problems: sorted(limited(trusted(findings, tree, source), tree).map(locate)),
    fileReferences: fileReferences(value, folder).map(({ file, path }) => ({
      file,
      key: path.at(-1),
      problem: (severity, message) => locate({ severity, message, at: { path, part: "value" } }),
    })),
  };
}

interface Judged {
  readonly findings: readonly Finding[];
  readonly config: Config | undefined;
}

function validate(value: unknown, tree: YamlTree, source: SourceText, drivers: readonly Driver[]): Judged {
  const findings = tree.findings;
  if (value === undefined || value === null) {
    const message = "nothing is configured here: begin with `devices:`, `fieldpost drivers` lists what can be read";
    const empty: Finding = { severity: "error", message, at: { start: 0, end: 0 } };
    return { findings: findings.length ? findings : [empty], config: undefined };
  }
  if (!isMapping(value)) {
    const message = "expected sections such as `mqtt:` and `devices:` at the top";
    return { findings: findings.length ? findings : [errorAt([], message)], config: undefined };
  }
  const judged = judge(value, tree, source, drivers);
  const typed = withTypedReferences(value, tree.references, judged.findings);
  const { findings: judgements, config } = typed === value ? judged : judge(typed, tree, source, drivers);
  return { findings: [...findings, ...judgements], config };
}

function judge(
  value: Readonly<Record<string, unknown>>,
  tree: YamlTree,
  source: SourceText,
  drivers: readonly Driver[],
): Judged {
  const findings: Finding[] = [];
  const parsed = configSchema(drivers).safeParse(value);
  const shown = (path: Path): string | undefined => shownValue(path, tree, source);
  if (parsed.error) findings.push(...findingsOf(parsed.error.issues, { tree: value, drivers, shown }));
  findings.push(...deviceFindings(value, drivers), ...entityFindings(value), ...networkFindings(value));
  findings.push(...inactiveFindings(value));
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

function isNotice(problem: Problem): problem is Notice {
  return problem.severity !== "error";
}
