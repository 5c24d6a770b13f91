import { isTopicFilter } from "../codec/topic-rules.ts";
import { lineFault, linesOf } from "./file-lines.ts";

export const READ = 1;
export const WRITE = 2;

/** One line of an ACL file. */
export interface AclRule {
  /** READ and WRITE added up; 0 denies both. */
  readonly access: number;
  readonly filter: string;
}

/** Within each list those that deny come first, as Mosquitto looks at them. */
export interface AclRules {
  readonly users: ReadonlyMap<string, readonly AclRule[]>;
  /** What stands before the first `user`: for clients without a user name. */
  readonly anonymous: readonly AclRule[];
  /** For everyone, with `%u` and `%c` in them. */
  readonly patterns: readonly AclRule[];
}

const accesses: Readonly<Record<string, number>> = { read: READ, write: WRITE, readwrite: READ | WRITE, deny: 0 };

/** Mosquitto's format (mosquitto.conf(5), acl_file). Throws GatewayError CONFIG_INVALID with file and line. */
export function parseAclFile(text: string, file: string): AclRules {
  const users = new Map<string, AclRule[]>();
  const anonymous: AclRule[] = [];
  const patterns: AclRule[] = [];
  let current = anonymous;
  for (const { line, number } of linesOf(text)) {
    const { keyword, rest } = split(line);
    if (keyword === "user") {
      if (rest === "") throw lineFault(file, number, "expected a user's name after `user`");
      current = users.get(rest) ?? [];
      users.set(rest, current);
    } else if (keyword === "topic") current.push(ruleOf(rest, file, number));
    else if (keyword === "pattern") patterns.push(ruleOf(rest, file, number));
    else throw lineFault(file, number, `expected \`user\`, \`topic\` or \`pattern\`, not "${keyword}"`);
  }
  for (const rules of [anonymous, patterns, ...users.values()]) rules.sort(deniesFirst);
  return { users, anonymous, patterns };
}

function deniesFirst(one: AclRule, other: AclRule): number {
  return Number(one.access !== 0) - Number(other.access !== 0);
}

/** `[read|write|readwrite|deny] TOPIC`: one word alone is a topic, whatever it is. */
function ruleOf(text: string, file: string, number: number): AclRule {
  const { keyword, rest } = split(text);
  if (keyword === "") throw lineFault(file, number, "expected a topic");
  const filter = rest === "" ? keyword : rest;
  const access = rest === "" ? READ | WRITE : accesses[keyword];
  if (access === undefined)
    throw lineFault(file, number, `expected \`read\`, \`write\`, \`readwrite\` or \`deny\`, not "${keyword}"`);
  if (!isTopicFilter(filter)) throw lineFault(file, number, `"${filter}" is not a topic filter`);
  return { access, filter };
}

function split(text: string): { keyword: string; rest: string } {
  const [, keyword = "", rest = ""] = /^ *([^ ]*) *(.*?)\s*$/.exec(text) ?? [];
  return { keyword, rest };
}
