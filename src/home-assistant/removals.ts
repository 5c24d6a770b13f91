/** Components of a device discovery message, by key. */
export type Components = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

export function componentsIn(payload: string): Components {
  return JSON.parse(payload).components;
}

/** Those that are not there any more, or are another entity: Home Assistant keeps theirs until it is told. */
export function changedComponents(before: Components, now: Components): Components {
  const isGone = ([key, { platform, unique_id: id }]: [string, Components[string]]) =>
    now[key]?.platform !== platform || now[key]?.unique_id !== id;
  return Object.fromEntries(Object.entries(before).filter(isGone));
}

/**
 * What must be published before a message so that components that it lacks are removed: once more in full, for one that
 * was left out across a restart of Home Assistant cannot be removed otherwise, and then as nothing but their platform.
 */
export function removalPayloads(payload: string, gone: Components): string[] {
  if (Object.keys(gone).length === 0) return [];
  const message = JSON.parse(payload);
  const removed = Object.entries(gone).map(([key, { platform }]) => [key, { platform }]);
  const having = (components: object) =>
    JSON.stringify({ ...message, components: { ...message.components, ...components } });
  return [having(gone), having(Object.fromEntries(removed))];
}
