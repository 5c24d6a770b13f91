import type { Identity } from "../options.ts";
import { type AclRule, type AclRules, READ, WRITE } from "./acl-file.ts";
import { covers, overlaps } from "./filter-match.ts";

export type Access = "read" | "write" | "subscribe";

/** Answers for topics that were asked before. */
const MAX_KNOWN_TOPICS = 1000;

/** Who may do what, by one ACL file: the rules of each client are put together once. */
export class Acl {
  readonly #rules: AclRules;
  readonly #clients = new WeakMap<Identity, Permissions>();

  constructor(rules: AclRules) {
    this.#rules = rules;
  }

  may(who: Identity, access: Access, topic: string): boolean {
    let permissions = this.#clients.get(who);
    if (permissions === undefined) {
      permissions = new Permissions([this.#ownRules(who), this.#patternsFor(who)]);
      this.#clients.set(who, permissions);
    }
    if (access === "subscribe") return permissions.maySubscribe(topic);
    return (permissions.at(topic) & (access === "read" ? READ : WRITE)) !== 0;
  }

  #ownRules({ username }: Identity): readonly AclRule[] {
    return username === undefined ? this.#rules.anonymous : (this.#rules.users.get(username) ?? []);
  }

  /**
   * A name with a wildcard in it would open more than its own topics: as with Mosquitto, it gets none. Nor is one with
   * `/` granted anything by its own pattern, other than there: a client chooses its id, and would choose its place.
   */
  #patternsFor({ username, clientId }: Identity): AclRule[] {
    if (/[+#]/.test(`${username ?? ""}${clientId}`)) return [];
    const names = [["%u", username] as const, ["%c", clientId] as const];
    return this.#rules.patterns
      .filter(({ filter }) => username !== undefined || !filter.includes("%u"))
      .filter(({ filter, access }) =>
        names.every(([name, value]) => access === 0 || !filter.includes(name) || !value?.includes("/")),
      )
      .map(({ access, filter }) => ({
        access,
        filter: filter.replaceAll(/%[uc]/g, (name) => (name === "%u" ? (username ?? "") : clientId)),
      }));
  }
}

interface Rule {
  readonly access: number;
  readonly levels: readonly string[];
}

/** One client's rules: the user's own decide before the patterns, and in each list those that deny before those that grant. */
class Permissions {
  readonly #lists: readonly (readonly Rule[])[];
  readonly #known = new Map<string, number>();

  constructor(lists: readonly (readonly AclRule[])[]) {
    this.#lists = lists.map((rules) => rules.map(({ access, filter }) => ({ access, levels: filter.split("/") })));
  }

  /** READ and WRITE, added up. */
  at(topic: string): number {
    const known = this.#known.get(topic);
    if (known !== undefined) return known;
    const levels = topic.split("/");
    const access = this.#find(levels, READ) | this.#find(levels, WRITE);
    if (this.#known.size >= MAX_KNOWN_TOPICS) this.#known.clear();
    this.#known.set(topic, access);
    return access;
  }

  /**
   * Could anything that the filter asks for be read? Mosquitto takes every subscription and holds back what must not be
   * read; so do we, but for those that would get nothing at all, whose client is told so.
   */
  maySubscribe(filter: string): boolean {
    const levels = filter.replace(/^\$share\/[^/]*\//, "").split("/");
    for (const rules of this.#lists)
      for (const rule of rules) {
        if (rule.access === 0 && covers(rule.levels, levels)) return false;
        if ((rule.access & READ) !== 0 && overlaps(rule.levels, levels)) return true;
      }
    return false;
  }

  #find(levels: readonly string[], access: number): number {
    for (const rules of this.#lists)
      for (const rule of rules) {
        if (rule.access !== 0 && (rule.access & access) === 0) continue;
        if (covers(rule.levels, levels)) return rule.access & access;
      }
    return 0;
  }
}
