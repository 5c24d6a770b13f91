/** Where a value is in the configuration: `["devices", 0, "interval"]`. */
export type Path = readonly (string | number)[];

/** As people write it: `devices[0].interval`. */
export function pathText(path: Path): string {
  return path.map((step, index) => (typeof step === "number" ? `[${step}]` : index ? `.${step}` : step)).join("");
}

/** The value there, `undefined` where the tree ends before. */
export function valueAt(tree: unknown, path: Path): unknown {
  return path.reduce<unknown>((node, step) => {
    if (Array.isArray(node)) return typeof step === "number" ? node[step] : undefined;
    return isMapping(node) && Object.hasOwn(node, step) ? node[step] : undefined;
  }, tree);
}

/** The tree with another value at a path that exists; what is not on the way is shared. */
export function withValue<Tree>(tree: Tree, [step, ...rest]: Path, value: unknown): Tree {
  if (step === undefined) return value as Tree;
  const changed = withValue(valueAt(tree, [step]), rest, value);
  return (Array.isArray(tree) ? tree.with(Number(step), changed) : { ...tree, [step]: changed }) as Tree;
}

export function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The mappings of a list, with their index; whatever else stands there is the schema's to complain about. */
export function mappingsAt(tree: unknown, path: Path): { path: Path; value: Record<string, unknown> }[] {
  const list = valueAt(tree, path);
  if (!Array.isArray(list)) return [];
  return list.flatMap((value, index) => (isMapping(value) ? [{ path: [...path, index], value }] : []));
}

/**
 * The paths that a pattern names and that exist: `devices.*.channels.*.process`, a `*` for any key or index.
 */
export function matches(tree: unknown, pattern: string): { path: Path; value: unknown }[] {
  let found: { path: Path; value: unknown }[] = [{ path: [], value: tree }];
  for (const step of pattern.split(".")) found = found.flatMap((place) => below(place, step));
  return found;
}

function below({ path, value }: { path: Path; value: unknown }, step: string): { path: Path; value: unknown }[] {
  if (Array.isArray(value))
    return step === "*" ? value.map((item, index) => ({ path: [...path, index], value: item })) : [];
  if (!isMapping(value)) return [];
  const keys = step === "*" ? Object.keys(value) : Object.hasOwn(value, step) ? [step] : [];
  return keys.map((key) => ({ path: [...path, key], value: value[key] }));
}
