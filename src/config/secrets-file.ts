import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { isMap, isScalar } from "yaml";
import { readBoundedText } from "./bounded-file.ts";
import type { Problem } from "./problems.ts";
import { syntaxSentence } from "./yaml/errors.ts";
import { guardTokens } from "./yaml/guard.ts";
import { parsePlain } from "./yaml/repair.ts";

/** Credentials of one unit, at most. */
const MAX_CREDENTIALS = 256;
const GROUP_AND_OTHERS = 0o077;

export interface SecretsFile {
  readonly secrets: ReadonlyMap<string, string>;
  /** Never with a line of the file in them. */
  readonly problems: readonly Problem[];
  readonly exists: boolean;
}

/** Reads `NAME: value` lines. A missing file has no secrets. */
export async function readSecretsFile(file: string): Promise<SecretsFile> {
  const read = await readBoundedText(file);
  if (!read.ok) {
    if (read.missing) return { secrets: new Map(), problems: [], exists: false };
    const { message, line, column } = read;
    return {
      secrets: new Map(),
      problems: [{ severity: "error", message, file, ...(line && { line }), ...(column && { column }) }],
      exists: true,
    };
  }
  const parsed = parseSecrets(read.text, file);
  const exposed = (read.mode & GROUP_AND_OTHERS) !== 0;
  const mode = (read.mode & 0o777).toString(8).padStart(4, "0");
  const warning: Problem = {
    severity: "warning",
    file,
    message: `others on this machine can read it (mode ${mode}): \`chmod 600 ${file}\``,
  };
  return { ...parsed, problems: [...parsed.problems, ...(exposed ? [warning] : [])], exists: true };
}

export function parseSecrets(text: string, file: string): { secrets: Map<string, string>; problems: Problem[] } {
  const secrets = new Map<string, string>();
  const problems: Problem[] = [];
  const report = (offset: number, message: string): void => {
    const before = text.slice(0, offset).split("\n");
    problems.push({
      severity: "error",
      message,
      file,
      line: before.length,
      column: [...(before.at(-1) ?? "")].length + 1,
    });
  };
  const guard = guardTokens(text);
  for (const { at, message } of guard.findings) report("start" in at ? at.start : 0, message);
  if (guard.findings.length) return { secrets, problems };

  const document = parsePlain(text);
  for (const { code, pos } of document.errors.slice(0, 1)) report(pos[0], syntaxSentence(code));
  if (document.errors.length || document.contents === null) return { secrets, problems };
  if (!isMap(document.contents)) {
    report(0, "expected lines `NAME: value`");
    return { secrets, problems };
  }
  for (const { key, value } of document.contents.items) {
    const offset = isScalar(key) ? (key.range?.[0] ?? 0) : 0;
    const name = isScalar(key) ? (key.source ?? String(key.value)) : undefined;
    // The text as written: a password of digits is no number.
    const secret =
      isScalar(value) && !value.tag ? (typeof value.value === "string" ? value.value : value.source) : undefined;
    if (name === undefined || secret === undefined || secret === "")
      report(offset, "expected a name and its value as text: `NAME: value`");
    else if (secrets.has(name)) report(offset, "this name is here twice: remove one of the two");
    else secrets.set(name, secret);
  }
  return { secrets, problems };
}

/** The credentials that systemd gave this service: file name -> content. `undefined` where it gave none. */
export async function readCredentials(directory: string | undefined): Promise<Map<string, string> | undefined> {
  if (!directory) return undefined;
  const names = await readdir(directory).catch(() => []);
  const entries = await Promise.all(
    names.slice(0, MAX_CREDENTIALS).map(async (name): Promise<[string, string][]> => {
      const read = await readBoundedText(join(directory, name));
      return read.ok ? [[name, read.text.replace(/\r?\n$/, "")]] : [];
    }),
  );
  return new Map(entries.flat());
}
