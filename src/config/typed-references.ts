import { type Path, valueAt, withValue } from "./paths.ts";
import type { Finding } from "./problems.ts";

/**
 * What `${NAME}` and `!secret` bring is text. Where text is wrong, and it reads as a number, `true` or `false`, it is that:
 * the place decides, so that an id or a password of digits stays text. The value itself when nothing changes.
 */
export function withTypedReferences(
  value: Readonly<Record<string, unknown>>,
  references: readonly Path[],
  findings: readonly Finding[],
): Readonly<Record<string, unknown>> {
  const wrong = new Set(findings.flatMap(({ at }) => ("path" in at ? [JSON.stringify(at.path)] : [])));
  let typed = value;
  for (const path of references) {
    const scalar = wrong.has(JSON.stringify(path)) ? scalarOf(valueAt(value, path)) : undefined;
    if (scalar !== undefined) typed = withValue(typed, path, scalar);
  }
  return typed;
}

/** As YAML's core schema reads it. */
function scalarOf(text: unknown): number | boolean | undefined {
  if (text === "true" || text === "false") return text === "true";
  return typeof text === "string" && /^(?:[-+]?\d+(?:\.\d+)?|0x[\da-fA-F]+)$/.test(text) ? Number(text) : undefined;
}
