import { CST, Lexer } from "yaml";
import type { Finding, Span } from "../problems.ts";

/** Limits on nesting: the YAML parser is recursive, and an overflow inside V8's regular expressions ends the process. */
const MAX_FLOW_DEPTH = 32;
const MAX_INDICATORS_PER_LINE = 16;
const MAX_INDENT = 128;

export const knownTags: ReadonlySet<string> = new Set(["!secret", "!credential"]);

/**
 * Looks at the tokens before anything is parsed: refuses what nests too deep to be parsed (`tooDeep`), and the parts of
 * YAML that a configuration does without (anchors, aliases, other tags, directives).
 */
export function guardTokens(text: string): { findings: Finding[]; tooDeep: boolean } {
  const findings: Finding[] = [];
  const depth = { flow: 0, indicators: 0 };
  for (const token of tokensOf(text)) {
    if (nestsTooDeep(token, depth)) {
      const message = "nested too deep for a configuration: at most 32 brackets and 128 columns of indentation";
      return { findings: [...findings, { severity: "error", message, at: token }], tooDeep: true };
    }
    const message = refusal(token);
    if (message) findings.push({ severity: "error", message, at: token });
  }
  return { findings, tooDeep: false };
}

interface Token extends Span {
  readonly type: CST.TokenType | null;
  readonly source: string;
  readonly startsLine: boolean;
}

function* tokensOf(text: string): Generator<Token> {
  let start = 0;
  let startsLine = true;
  for (const source of new Lexer().lex(text)) {
    if (source === CST.DOCUMENT || source === CST.SCALAR || source === CST.FLOW_END) continue;
    const type = CST.tokenType(source);
    yield { type, source, start, end: start + source.length, startsLine };
    start += source.length;
    startsLine = type === "newline" || (type === "space" && startsLine);
  }
}

function nestsTooDeep(token: Token, depth: { flow: number; indicators: number }): boolean {
  switch (token.type) {
    case "flow-map-start":
    case "flow-seq-start":
      depth.flow += 1;
      return depth.flow > MAX_FLOW_DEPTH;
    case "flow-map-end":
    case "flow-seq-end":
      depth.flow = Math.max(0, depth.flow - 1);
      return false;
    case "comma":
    case "newline":
      depth.indicators = 0;
      return false;
    case "seq-item-ind":
    case "explicit-key-ind":
    case "map-value-ind":
      depth.indicators += 1;
      return depth.indicators > MAX_INDICATORS_PER_LINE;
    case "space":
      return token.startsLine && token.source.length > MAX_INDENT;
    default:
      return false;
  }
}

function refusal({ type, source }: Token): string | undefined {
  switch (type) {
    case "anchor":
      return "anchors (`&name`) are not used here: write the value out where it is needed, or quote text that begins with `&`";
    case "alias":
      return "aliases (`*name`) are not used here: write the value out, or quote text that begins with `*`";
    case "tag":
      return knownTags.has(source)
        ? undefined
        : "unknown tag: there are `!secret NAME` and `!credential NAME`; quote text that begins with `!`";
    case "directive-line":
      return "directives (`%…`) are not used here: remove the line; the file is read as YAML 1.2";
    default:
      return undefined;
  }
}
