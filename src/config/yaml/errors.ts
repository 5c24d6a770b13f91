import type { ErrorCode } from "yaml";

/**
 * What a syntax error means for the one who wrote it. Our own sentences: the library's quote the text, and the text may
 * hold a password.
 */
const sentences: Partial<Record<ErrorCode, string>> = {
  BAD_ALIAS: "aliases (`*name`) are not used here: quote text that begins with `*`",
  BAD_DIRECTIVE: "directives (`%…`) are not used here: remove the line",
  BAD_DQ_ESCAPE: "unknown escape after `\\`: double it, or use single quotes",
  BAD_INDENT:
    "the indentation does not fit: items of one section start in the same column, and brackets must be closed",
  BAD_PROP_ORDER: "a tag stands before its value, and only there",
  BAD_SCALAR_START: "text cannot begin with this character: put it in quotes",
  BLOCK_AS_IMPLICIT_KEY:
    "a second `:` in one line, or a line indented too far: quote text that contains `: `, or align the key",
  BLOCK_IN_FLOW: "a block cannot stand inside brackets: write it with `{ }` and `[ ]`, or outside",
  IMPOSSIBLE: "this cannot be read as YAML",
  KEY_OVER_1024_CHARS: "this key is longer than 1024 characters",
  MISSING_CHAR: "something is missing here: a `:` after a key, a closing quote, or a closing bracket",
  MULTILINE_IMPLICIT_KEY: "a key must be on one line: is a `:` missing, or a line indented wrongly?",
  MULTIPLE_DOCS: "a second document begins here: keep one configuration in one file, without `---` or `...` in between",
  TAB_AS_INDENT: "a tab in the indentation: YAML wants spaces",
  UNEXPECTED_TOKEN: "this does not belong here: check the indentation, quotes and brackets above it",
};

/** After these the rest of the file is still read as it was meant. */
const HARMLESS: ReadonlySet<ErrorCode> = new Set(["MULTIPLE_DOCS", "BAD_DQ_ESCAPE", "BAD_SCALAR_START"]);

export function syntaxSentence(code: ErrorCode): string {
  return sentences[code] ?? "this cannot be read as YAML";
}

export function breaksStructure(code: ErrorCode): boolean {
  return !HARMLESS.has(code);
}
