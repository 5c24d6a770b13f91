import { lineFault, linesOf } from "./file-lines.ts";
import { type PasswordHash, parsePasswordHash } from "./password-hash.ts";

/**
 * `USER:HASH` a line, `#` for comments, as mosquitto_passwd writes it. Throws GatewayError CONFIG_INVALID with file and
 * line: Mosquitto leaves wrong lines out, and a user who cannot log in then learns nothing of why.
 */
export function parsePasswordFile(text: string, file: string): ReadonlyMap<string, PasswordHash> {
  const users = new Map<string, PasswordHash>();
  for (const { line, number } of linesOf(text)) {
    const colon = line.indexOf(":");
    if (colon < 1) throw lineFault(file, number, "expected NAME:HASH");
    const user = line.slice(0, colon);
    const hash = parsePasswordHash(line.slice(colon + 1));
    if (hash === undefined)
      throw lineFault(file, number, `the password of "${user}" is not a $7$ or $6$ hash: set it with fieldpost passwd`);
    if (users.has(user)) throw lineFault(file, number, `"${user}" is in this file twice`);
    users.set(user, hash);
  }
  return users;
}
