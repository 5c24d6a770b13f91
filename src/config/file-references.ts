import { resolve } from "node:path";
import { matches, type Path } from "./paths.ts";

/** A file that the configuration names and that must be there. */
export interface FileReference {
  /** Absolute. */
  readonly file: string;
  readonly path: Path;
}

/** Keys whose value is a path; relative ones are meant from the configuration's own folder. */
const mustExist: readonly string[] = [
  "mqtt.tls.ca",
  "mqtt.tls.cert",
  "mqtt.tls.key",
  "broker.password_file",
  "broker.acl_file",
  "broker.listeners.*.password_file",
  "broker.listeners.*.acl_file",
  "broker.listeners.*.tls.cert",
  "broker.listeners.*.tls.key",
  "broker.listeners.*.tls.ca",
  "broker.listeners.*.tls.crl",
];
const made: readonly string[] = ["store.path", "broker.listeners.*.path"];

/** Files that must exist. Those of a broker that is switched off are nobody's concern. */
export function fileReferences(tree: unknown, folder: string): FileReference[] {
  const brokerIsOff = matches(tree, "broker.enabled").some(({ value }) => value === false);
  return mustExist
    .filter((pattern) => !(brokerIsOff && pattern.startsWith("broker.")))
    .flatMap((pattern) => paths(tree, pattern))
    .map(({ value, path }) => ({ file: resolve(folder, value), path }));
}

/** The same tree with every path absolute. */
export function withAbsolutePaths(tree: unknown, folder: string): unknown {
  const places = new Map(
    [...mustExist, ...made]
      .flatMap((pattern) => paths(tree, pattern))
      .map(({ path, value }) => [JSON.stringify(path), resolve(folder, value)]),
  );
  const copy = (node: unknown, path: Path): unknown => {
    if (Array.isArray(node)) return node.map((item, index) => copy(item, [...path, index]));
    if (typeof node !== "object" || node === null) return places.get(JSON.stringify(path)) ?? node;
    return Object.fromEntries(Object.entries(node).map(([key, value]) => [key, copy(value, [...path, key])]));
  };
  return places.size ? copy(tree, []) : tree;
}

function paths(tree: unknown, pattern: string): { path: Path; value: string }[] {
  return matches(tree, pattern).flatMap(({ path, value }) =>
    typeof value === "string" && value !== "" ? [{ path, value }] : [],
  );
}
