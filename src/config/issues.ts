import type { z } from "zod";
import type { Driver } from "../drivers/driver.ts";
import { complaint } from "./complaint.ts";
import { configJsonSchema, type JsonSchema, knownKeys } from "./json-schema.ts";
import { isMapping, type Path, pathText, valueAt } from "./paths.ts";
import { absentAt, errorAt, type Finding, MAX_PROBLEMS } from "./problems.ts";
import { anyDevice } from "./schema/devices.ts";
import { didYouMean, nearest } from "./suggest.ts";
import { UNRESOLVED } from "./yaml/source.ts";

type Issue = z.core.$ZodIssue;

export interface IssueContext {
  readonly tree: unknown;
  readonly drivers: readonly Driver[];
  /** The value as written, if it may be shown. */
  shown(path: Path): string | undefined;
}

/** Keys listed in an error at most. */
const MAX_LISTED = 24;

/** What the schema found wrong, in sentences, each at its place. */
export function findingsOf(issues: readonly Issue[], context: IssueContext): Finding[] {
  let schema: JsonSchema | undefined;
  const lazySchema = (): JsonSchema => {
    schema ??= configJsonSchema(context.drivers);
    return schema;
  };
  // One more than is told, so that the reader learns that there are more.
  return issues.slice(0, MAX_PROBLEMS + 1).flatMap((issue) => findingsOfIssue(issue, [], context, lazySchema));
}

function findingsOfIssue(issue: Issue, base: Path, context: IssueContext, schema: () => JsonSchema): Finding[] {
  const path: Path = [...base, ...(issue.path as Path)];
  if (valueAt(context.tree, path) === UNRESOLVED) return [];
  if (issue.code === "unrecognized_keys") {
    const known = knownKeys(schema(), context.tree, path);
    return issue.keys.slice(0, MAX_PROBLEMS + 1).map((key) => unknownKey(key, path, known));
  }
  if (issue.code === "invalid_union" && issue.discriminator === "driver") {
    return [driverFinding(path, context), ...commonFindings(path.slice(0, -1), context, schema)];
  }
  if (valueAt(context.tree, path) === undefined) return [missing(path, context.tree)];
  const branch = issue.code === "invalid_union" && meantBranch(issue.errors);
  if (branch) return branch.flatMap((inner) => findingsOfIssue(inner, path, context, schema));
  return [errorAt(path, `${subject(path, context)}: ${complaint(issue, valueAt(context.tree, path))}`)];
}

function unknownKey(key: string, path: Path, known: readonly string[]): Finding {
  const where = path.length ? ` in ${pathText(path)}` : "";
  const hint = (path.at(-1) === "tls" && unsafeTls(key)) || didYouMean(key, known) || listed(known);
  return errorAt([...path, key], `unknown key \`${clip(key)}\`${where}${hint}`, "key");
}

/** What other programs have, and we do not on purpose. */
function unsafeTls(key: string): string | undefined {
  if (!/insecure|verify|reject_?unauthorized/i.test(key)) return undefined;
  return ": the certificate is always verified, as an unverified connection hides nothing from whoever is in between; give the broker's certificate, or that of its authority, in `ca`";
}

function listed(known: readonly string[]): string {
  const keys = [...known].sort();
  return keys.length > 0 && keys.length <= MAX_LISTED ? `; there is ${keys.map((key) => `\`${key}\``).join(", ")}` : "";
}

function missing(path: Path, tree: unknown): Finding {
  const parent = path.slice(0, -1);
  const mapping = valueAt(tree, parent);
  const slip = isMapping(mapping) ? nearest(String(path.at(-1)), Object.keys(mapping)) : undefined;
  const where = parent.length ? ` in ${pathText(parent)}` : "";
  return absentAt(
    parent,
    `\`${path.at(-1)}\` is missing${where}${slip ? `; is it what \`${clip(slip)}\` was meant to be?` : ""}`,
  );
}

function driverFinding(path: Path, context: IssueContext): Finding {
  const name = valueAt(context.tree, path);
  if (name === undefined) return missing(path, context.tree);
  const names = context.drivers.flatMap((driver) => [driver.name, ...(driver.aliases ?? [])]);
  const hint = didYouMean(String(name), names) || "; `fieldpost drivers` lists them";
  return errorAt(path, `${subject(path, context)}: there is no such driver${hint}`);
}

/** Without its driver a device is only checked for what every device has. */
function commonFindings(path: Path, context: IssueContext, schema: () => JsonSchema): Finding[] {
  const { error } = anyDevice.safeParse(valueAt(context.tree, path));
  return (error?.issues ?? []).flatMap((issue) => findingsOfIssue(issue, path, context, schema));
}

/** The alternative that was meant: the one that is wrong deeper down, not at its root. */
function meantBranch(branches: readonly (readonly Issue[])[]): readonly Issue[] | undefined {
  const atRoot = (issue: Issue): boolean =>
    issue.path.length === 0 && ["invalid_type", "invalid_value", "invalid_union"].includes(issue.code);
  const deeper = branches.filter((branch) => branch.length > 0 && !branch.some(atRoot));
  const [best] = [...deeper].sort((a, b) => unknownCount(a) - unknownCount(b));
  // Which key is missing is a guess where another is misspelt.
  const unknown = best?.filter((issue) => issue.code === "unrecognized_keys") ?? [];
  return unknown.length ? unknown : best;
}

function unknownCount(issues: readonly Issue[]): number {
  return issues.reduce(
    (sum, issue) => sum + (issue.code === "unrecognized_keys" ? issue.keys.length : issue.path.length ? 0 : 1),
    0,
  );
}

function subject(path: Path, { shown }: IssueContext): string {
  const name = [...path].reverse().find((step) => typeof step === "string") ?? "the file";
  const value = shown(path);
  return value === undefined || value === "" ? `\`${name}\`` : `\`${name}: ${value}\``;
}

function clip(text: string): string {
  return text.length > 64 ? `${text.slice(0, 63)}…` : text;
}
