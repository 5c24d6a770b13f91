import { isAlias, isMap, isScalar, isSeq, type Pair, type Scalar } from "yaml";
import { isSecretKey } from "../mask.ts";
import type { Path } from "../paths.ts";
import type { Finding, Span } from "../problems.ts";
import { guardTokens } from "./guard.ts";
import { lineStart, parseRepairing } from "./repair.ts";

/** A file as plain values, and where each of them stands. */
export interface YamlTree {
  /** Mappings, lists, text, numbers, booleans, null; `undefined` for an empty file. */
  readonly value: unknown;
  readonly findings: readonly Finding[];
  /** Offset from which on the structure cannot be trusted, because of a syntax error. */
  readonly brokenFrom: number | undefined;
  /** Lines that were left out because of a syntax error. */
  readonly blanked: readonly Span[];
  /** Values of keys that sound like a secret. */
  readonly secrets: readonly Span[];
  /** Values that came from elsewhere, by a tag or `${NAME}`. */
  readonly references: readonly Path[];
  /** The place of a key or a value, or of the nearest thing around it. */
  spanOf(path: Path, part: "key" | "value"): Span;
}

/** Gives text its meaning: `undefined` when `report` was told why there is none. */
export type ResolveText = (
  text: string,
  tag: string | undefined,
  report: (message: string) => void,
) => string | undefined;

interface Place {
  readonly key?: Span;
  readonly value: Span;
}

/** Reads YAML 1.2 (core schema) without its anchors, aliases, merge keys and foreign tags. */
export function readYaml(text: string, resolveText: ResolveText): YamlTree {
  const guard = guardTokens(text);
  const walk = new Walk(resolveText);
  walk.findings.push(...guard.findings);
  if (guard.tooDeep) return treeOf(undefined, walk, 0);

  const { document, findings, blanked, brokenFrom } = parseRepairing(text);
  walk.findings.push(...onePerLine(findings, text));
  const value = document.contents === null ? undefined : walk.valueOf(document.contents, []);
  return treeOf(value, walk, brokenFrom, blanked);
}

function treeOf(value: unknown, walk: Walk, brokenFrom: number | undefined, blanked: readonly Span[] = []): YamlTree {
  const spanOf = (path: Path, part: "key" | "value"): Span => {
    const place = walk.places.get(keyOf(path));
    if (place) return place.key && (part === "key" || isEmpty(place.value)) ? place.key : place.value;
    return path.length ? spanOf(path.slice(0, -1), "key") : { start: 0, end: 0 };
  };
  const { findings, secrets, references } = walk;
  return { value, findings, brokenFrom, blanked, secrets, references, spanOf };
}

/** An error in YAML draws others behind it. */
function onePerLine(findings: readonly Finding[], text: string): Finding[] {
  const byLine = new Map<number, Finding>();
  for (const finding of findings) {
    const line = "start" in finding.at ? lineStart(text, finding.at.start) : 0;
    if (!byLine.has(line)) byLine.set(line, finding);
  }
  return [...byLine.values()];
}

function isEmpty({ start, end }: Span): boolean {
  return start === end;
}

function keyOf(path: Path): string {
  return JSON.stringify(path);
}

/** Walks the nodes once and collects what is told about them on the way. */
class Walk {
  readonly findings: Finding[] = [];
  readonly secrets: Span[] = [];
  readonly references: Path[] = [];
  readonly places = new Map<string, Place>();
  readonly #resolveText: ResolveText;

  constructor(resolveText: ResolveText) {
    this.#resolveText = resolveText;
  }

  valueOf(node: unknown, path: Path, key?: Span): unknown {
    const span = spanOfNode(node) ?? key ?? { start: 0, end: 0 };
    this.places.set(keyOf(path), { ...(key && { key }), value: span });
    if ((isMap(node) || isSeq(node)) && node.tag)
      this.#report(span, "a tag stands before text, not before a mapping or a list");
    if (isMap(node)) return this.#mapping(node.items, path);
    if (isSeq(node)) return node.items.map((item, index) => this.valueOf(item, [...path, index]));
    if (isScalar(node)) return this.#scalar(node, span, path);
    // An alias: refused by its token already.
    return isAlias(node) ? UNRESOLVED : null;
  }

  #mapping(items: readonly Pair<unknown, unknown>[], path: Path): Record<string, unknown> {
    const entries = new Map<string, unknown>();
    for (const { key, value } of items) {
      const span = spanOfNode(key) ?? spanOfNode(value) ?? { start: 0, end: 0 };
      const name = isScalar(key) ? key.value : undefined;
      const refused = refusedKey(name, entries);
      if (refused) this.#report(span, refused);
      else this.#entry(entries, name as string, value, path, span);
    }
    return Object.fromEntries(entries);
  }

  #entry(entries: Map<string, unknown>, name: string, value: unknown, path: Path, keySpan: Span): void {
    const span = spanOfNode(value);
    if (span && isSecretKey(name) && !isMap(value) && !isSeq(value)) this.secrets.push(span);
    entries.set(name, this.valueOf(value, [...path, name], keySpan));
  }

  #scalar(node: Scalar, span: Span, path: Path): unknown {
    if (typeof node.value === "bigint") return Number(node.value);
    if (typeof node.value !== "string" && !node.tag) return node.value;
    const text = typeof node.value === "string" ? node.value : (node.source ?? "");
    const report = (message: string): void => this.#report(path.length ? span : { start: 0, end: 0 }, message);
    const resolved = this.#resolveText(text, node.tag, report) ?? UNRESOLVED;
    if (resolved !== text) this.references.push(path);
    return resolved;
  }

  #report(at: Span, message: string): void {
    this.findings.push({ severity: "error", message, at });
  }
}

/** Stands where a value could not be had, which was reported: nothing more is said about it. */
export const UNRESOLVED = Symbol("unresolved");

function refusedKey(name: unknown, entries: ReadonlyMap<string, unknown>): string | undefined {
  if (name === "<<") return "merge keys (`<<`) are not used here: write the values out";
  if (typeof name !== "string") return "keys are text: put this one in quotes";
  return entries.has(name) ? `\`${name.slice(0, 64)}\` is here twice: remove one of the two` : undefined;
}

function spanOfNode(node: unknown): Span | undefined {
  const range = isScalar(node) || isMap(node) || isSeq(node) || isAlias(node) ? node.range : undefined;
  return range ? { start: range[0], end: Math.max(range[1], range[0]) } : undefined;
}
