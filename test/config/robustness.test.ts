// biome-ignore-all lint/suspicious/noTemplateCurlyInString: this is how one refers to the environment
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isConfigError } from "../../src/config/problems.ts";
import { render } from "../../src/config/render.ts";
import { parse } from "./support.ts";

/** What configurations are made of, in any order. */
const words = [
  "gateway",
  "mqtt",
  "devices",
  "broker",
  "listeners",
  "tls",
  "channels",
  "process",
  "id",
  "driver",
  "bme280",
  "sht4x",
  "password",
  "url",
  "interval",
  "5s",
  "0x76",
  "null",
  "~",
  "true",
  "- ",
  ": ",
  ":",
  "\n",
  "\n  ",
  "\n    - ",
  "{",
  "}",
  "[",
  "]",
  ",",
  "'",
  '"',
  "|\n",
  ">-\n",
  "&a",
  "*a",
  "<<: ",
  "!secret ",
  "!credential x",
  "!!map ",
  "#",
  "---\n",
  "...\n",
  "%YAML 1.1\n",
  "? ",
  "\t",
  "${A}",
  "__proto__",
  "constructor",
  "\u{1f331}",
  "\u2028",
  "1e999",
  ".nan",
  "0o17",
];

const yamlish = fc
  .array(fc.oneof(fc.constantFrom(...words), fc.string({ maxLength: 6 })), { maxLength: 40 })
  .map((parts) => parts.join(""));

/** Trees that look like a configuration and are wrong somewhere. */
const leaf = fc.oneof(fc.constantFrom(...words), fc.integer(), fc.boolean(), fc.constant(null), fc.double());
const { tree } = fc.letrec((tie) => ({
  tree: fc.oneof(
    { maxDepth: 5 },
    leaf,
    fc.array(tie("tree"), { maxLength: 4 }),
    fc.dictionary(fc.constantFrom(...words), tie("tree"), { maxKeys: 5 }),
  ),
}));
const sections = fc.dictionary(
  fc.constantFrom(
    "gateway",
    "mqtt",
    "devices",
    "broker",
    "store",
    "web",
    "defaults",
    "home_assistant",
    "removed_devices",
    "log",
  ),
  fc.oneof(
    tree,
    fc.array(fc.record({ id: leaf, driver: fc.constantFrom("bme280", "sht40", "digital-input"), more: tree })),
  ),
);

function survives(text: string): boolean {
  try {
    parse(text, { env: { A: "a" } });
  } catch (error) {
    if (!isConfigError(error)) throw error;
    const within = error.problems.every(
      ({ line = 0, column = 0 }) => line >= 1 && line <= text.split("\n").length && column >= 1,
    );
    return within && render(error.problems, { color: true }).length > 0;
  }
  return true;
}

describe("any text at all", () => {
  it("is accepted or refused with problems at places that exist", () => {
    fc.assert(fc.property(fc.oneof(yamlish, fc.string({ unit: "binary" })), survives), { numRuns: 600 });
  });

  it("so is any tree", () => {
    fc.assert(
      fc.property(sections, (value) => survives(JSON.stringify(value))),
      { numRuns: 400 },
    );
  });

  it("a key named like an object's own does no harm", () => {
    expect(
      survives('{"__proto__": {"polluted": 1}, "constructor": {}, "devices": [{"__proto__": null, "id": "a"}]}'),
    ).toBe(true);
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });
});
