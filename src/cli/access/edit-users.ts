/** The text of a password file with this user's line, or without. Everything else stays as it is, comments too. */
export function withUser(text: string, user: string, hash: string): string {
  const lines = linesOf(text);
  const line = `${user}:${hash}`;
  const at = lines.findIndex((one) => one.startsWith(`${user}:`));
  return join(at < 0 ? [...lines, line] : lines.with(at, line));
}

/** Undefined: there is no such user. */
export function withoutUser(text: string, user: string): string | undefined {
  const lines = linesOf(text);
  const left = lines.filter((line) => !line.startsWith(`${user}:`));
  return left.length < lines.length ? join(left) : undefined;
}

function linesOf(text: string): string[] {
  return text === "" ? [] : text.replace(/\n$/, "").split("\n");
}

function join(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join("");
}
