import { isMapping } from "./paths.ts";

const LINE_WIDTH = 120;

/** JSON as the formatter of this project would write it. */
export function prettyJson(value: unknown, indent: string): string {
  const inner = `${indent}  `;
  if (isMapping(value)) {
    const lines = Object.entries(value).map(
      ([key, child]) => `${inner}${JSON.stringify(key)}: ${prettyJson(child, inner)}`,
    );
    return lines.length ? `{\n${lines.join(",\n")}\n${indent}}` : "{}";
  }
  if (!Array.isArray(value)) return JSON.stringify(value);
  const items = value.map((item) => prettyJson(item, inner));
  const line = `[${items.join(", ")}]`;
  // The key before it takes room too.
  const fits = !line.includes("\n") && indent.length + line.length < LINE_WIDTH - 16;
  return fits ? line : `[\n${items.map((item) => inner + item).join(",\n")}\n${indent}]`;
}
