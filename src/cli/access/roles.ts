import { GatewayError } from "../../core/errors.ts";

/** Where gateways publish, and where Home Assistant looks for them. */
export interface TopicRoots {
  readonly base: string;
  readonly discovery: string;
}

type Rules = (user: string, roots: TopicRoots) => readonly string[];

/** Who may do what. `set` topics switch outputs: a reader has none. */
export const roles = {
  /** Its user name is its gateway id: it has its own topics and nobody else's. */
  gateway: (user, { base, discovery }) => [
    `topic readwrite ${base}/${user}/#`,
    `topic readwrite ${discovery}/device/${user}/#`,
    `topic read ${discovery}/status`,
  ],
  homeassistant: (_user, { base, discovery }) => [
    `topic read ${base}/#`,
    `topic write ${base}/+/+/set`,
    `topic write ${base}/+/+/+/set`,
    `topic write ${base}/+/request/identify`,
    `topic write ${base}/+/request/restart`,
    `topic readwrite ${discovery}/#`,
  ],
  reader: (_user, { base, discovery }) => [`topic read ${base}/#`, `topic read ${discovery}/#`],
} satisfies Record<string, Rules>;

export type Role = keyof typeof roles;

export function isRole(text: unknown): text is Role {
  return typeof text === "string" && Object.hasOwn(roles, text);
}

const mark = "# fieldpost passwd:";

/** The text of an ACL file in which the user has this role and no other. Throws GatewayError where somebody wrote rules for that user by hand. */
export function withRole(text: string, file: string, user: string, role: Role, roots: TopicRoots): string {
  const rest = withoutRole(text, file, user);
  const at = rest.split("\n").findIndex((line) => line.trim() === `user ${user}`);
  if (at >= 0)
    throw new GatewayError("USAGE_INVALID", `${file}:${at + 1}: "${user}" has rules already that were written by hand`);
  const gap = rest === "" || rest.endsWith("\n\n") ? "" : rest.endsWith("\n") ? "\n" : "\n\n";
  return `${rest}${gap}${blockOf(user, role, roles[role](user, roots))}`;
}

function blockOf(user: string, role: string, rules: readonly string[]): string {
  return `${mark} ${user} is a ${role}\nuser ${user}\n${rules.join("\n")}\n`;
}

/**
 * The text without what `withRole` wrote for the user. What follows up to the next `user` belongs to that user too: if
 * somebody added rules there, they would be the user's before, so they are refused.
 */
export function withoutRole(text: string, file: string, user: string): string {
  const lines = text.split("\n");
  const start = lines.findIndex((line) => line.startsWith(`${mark} ${user} is a `));
  if (start < 0) return text;
  let end = start + 2;
  while (end < lines.length && /^topic /.test(lines[end] ?? "")) end++;
  const after = lines.slice(end).findIndex((line) => /^\s*(user|topic) /.test(line));
  if (after >= 0 && lines[end + after]?.trim().startsWith("topic"))
    throw new GatewayError("USAGE_INVALID", `${file}:${end + after + 1}: rules were added to "${user}" by hand here`);
  while (lines[end] === "" && end < lines.length - 1) end++;
  return [...lines.slice(0, start), ...lines.slice(end)].join("\n");
}
