import { type Document, type ErrorCode, isCollection, isScalar, parseDocument, visit, type YAMLError } from "yaml";
import type { Finding, Span } from "../problems.ts";
import { breaksStructure, syntaxSentence } from "./errors.ts";

/** Whoever has more syntax errors than this learns of those behind them when these are corrected. */
const MAX_REPAIRS = 12;
/** Each repair parses a few times; what is longer is parsed once. */
const MAX_REPAIRED_LENGTH = 32 * 1024;
/** With more of them at once it is another kind of file. */
const MAX_ERRORS = 100;

export interface Parsed {
  readonly document: Document.Parsed;
  readonly findings: readonly Finding[];
  /** What was taken out to read the rest: nothing is known of it. */
  readonly blanked: readonly Span[];
  /** Offset from which on the structure cannot be trusted, where repairing was in vain. */
  readonly brokenFrom: number | undefined;
}

/**
 * Parses, and where the structure is broken parses again with the broken lines blank (offsets stay as they are), so that
 * one syntax error does not hide the mistakes behind it.
 */
export function parseRepairing(text: string): Parsed {
  const first = parsePlain(text);
  if (!isBroken(first))
    return { document: first, findings: first.errors.map(plain(text)), blanked: [], brokenFrom: undefined };
  return (text.length <= MAX_REPAIRED_LENGTH && repaired(text)) || unrepaired(text, first);
}

function unrepaired(text: string, document: Document.Parsed): Parsed {
  const broken = document.errors.filter(({ code }) => breaksStructure(code)).map(({ pos }) => lineStart(text, pos[0]));
  return { document, findings: document.errors.map(plain(text)), blanked: [], brokenFrom: Math.min(...broken) };
}

function repaired(text: string): Parsed | undefined {
  const findings: Finding[] = [];
  const blanked: Span[] = [];
  let current = text;
  for (let round = 0; round <= MAX_REPAIRS; round++) {
    const document = parsePlain(current);
    if (!isBroken(document)) {
      findings.push(...document.errors.map(plain(current)));
      return { document, findings, blanked, brokenFrom: undefined };
    }
    if (document.errors.length > MAX_ERRORS) return undefined;
    const repair = bestRepair(current, document);
    findings.push(...repair.findings);
    blanked.push(...repair.blanked);
    current = repair.text;
  }
  return undefined;
}

interface Repair {
  readonly findings: readonly Finding[];
  readonly blanked: readonly Span[];
  readonly text: string;
}

/** Of the lines that may be to blame, those without which the fewest errors are left. */
function bestRepair(text: string, document: Document.Parsed): Repair {
  const tabs = document.errors.filter(({ code }) => code === "TAB_AS_INDENT");
  if (tabs.length > 0) {
    const lines = tabs.map(({ pos }) => ({ start: lineStart(text, pos[0]), end: lineEnd(text, pos[0]) }));
    return repairOf(text, tabs.map(plain(text)), lines);
  }
  const [error] = document.errors.filter(({ code }) => breaksStructure(code)).sort((a, b) => a.pos[0] - b.pos[0]);
  if (!error) return { findings: [], blanked: [], text };
  const finding = plain(text)(error);
  const at = "start" in finding.at ? Math.min(finding.at.start, text.length) : 0;
  const opened = openedBefore(text, document, at, error.code);
  const repairs = [
    ...(opened.some(({ certain }) => certain) ? [] : [repairOf(text, [finding], [blockAt(text, at)])]),
    ...opened.map(({ start, what }) => {
      const message = `this ${what} is not closed where it should be`;
      return repairOf(text, [{ severity: "error", message, at: { start, end: start + 1 } }], [blockAt(text, start)]);
    }),
  ];
  const ranked = repairs.map((repair) => ({ repair, left: errorsLeft(repair.text, error) }));
  return ranked.reduce((best, other) => (other.left < best.left ? other : best)).repair;
}

/** How many errors there are without those lines; where the one in question is still among them nothing was gained. */
function errorsLeft(text: string, { code, pos }: YAMLError): number {
  const { errors } = parsePlain(text);
  return errors.some((left) => left.code === code && left.pos[0] === pos[0]) ? Number.POSITIVE_INFINITY : errors.length;
}

interface Opened {
  readonly start: number;
  readonly what: "quote" | "bracket";
  /** Nobody writes such a text, or begins a line inside brackets so far to the left, on purpose. */
  readonly certain: boolean;
}

/** A line that begins with a key. */
const KEY_LINE = /\n\s*(?:- )?[a-z][\w-]*:(?:\s|$)/;

/** Quotes and brackets that were opened in an earlier line, and are open at `offset` or were until just before. */
function openedBefore(text: string, document: Document.Parsed, offset: number, code: ErrorCode): Opened[] {
  const found: Opened[] = [];
  const leavesBrackets = code === "BAD_INDENT" && !/[\]}]/.test(text.charAt(offset));
  visit(document, {
    Node(_, node) {
      const [start = 0, , end = 0] = node.range ?? [];
      if (start >= offset || end < offset - 1) return;
      if (isScalar(node) && node.type?.startsWith("QUOTE")) {
        found.push({ start, what: "quote", certain: KEY_LINE.test(text.slice(start, end)) });
      }
      if (isCollection(node) && node.flow) found.push({ start, what: "bracket", certain: leavesBrackets });
    },
  });
  return found.some(({ certain }) => certain) ? found.filter(({ certain }) => certain) : found;
}

function repairOf(text: string, findings: readonly Finding[], blanked: readonly Span[]): Repair {
  let mended = text;
  for (const { start, end } of blanked) {
    mended = mended.slice(0, start) + mended.slice(start, end).replaceAll(/[^\n]/g, " ") + mended.slice(end);
  }
  return { findings, blanked, text: mended };
}

/** The line, and those below it that are indented deeper: they belong to it. */
function blockAt(text: string, offset: number): Span {
  const start = lineStart(text, offset);
  const indent = indentAt(text, start);
  let end = lineEnd(text, offset);
  while (end < text.length) {
    const next = lineEnd(text, end + 1);
    const isBlank = text.slice(end, next).trim() === "";
    if (!isBlank && indentAt(text, end + 1) <= indent) break;
    end = next;
  }
  return { start, end };
}

function indentAt(text: string, start: number): number {
  return /^[ \t]*/.exec(text.slice(start, start + 200))?.[0].length ?? 0;
}

export function lineStart(text: string, offset: number): number {
  return offset === 0 ? 0 : text.lastIndexOf("\n", offset - 1) + 1;
}

function lineEnd(text: string, offset: number): number {
  const end = text.indexOf("\n", offset);
  return end === -1 ? text.length : end;
}

/** YAML 1.2, core schema; `errors` says what is wrong, and a key twice is left to the caller. */
export function parsePlain(text: string): Document.Parsed {
  return parseDocument(text, {
    version: "1.2",
    schema: "core",
    prettyErrors: false,
    uniqueKeys: false,
    logLevel: "error",
  });
}

function isBroken({ errors }: Document.Parsed): boolean {
  return errors.some(({ code }) => breaksStructure(code));
}

/** A syntax error as it is told: at the text that it points to, not at the space before. */
function plain(text: string): (error: YAMLError) => Finding {
  return ({ code, pos }) => {
    const start = pos[0] + (/^\s*/.exec(text.slice(pos[0]))?.[0].length ?? 0);
    const at =
      code === "TAB_AS_INDENT" || start >= text.length
        ? { start: pos[0], end: pos[1] }
        : { start, end: Math.max(start + 1, pos[1]) };
    return { severity: "error", message: syntaxSentence(code), at };
  };
}
