import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { mqtt311, mqtt311Counts } from "./mqtt-3.1.1.statements.ts";
import { mqtt5, mqtt5Counts } from "./mqtt-5.0.statements.ts";
import { binds } from "./statement.ts";

const root = join(import.meta.dirname, "..");
const only311 = /mqtt-3\.1\.1[^/]*\.test\.ts$/;

/** Statements that test titles begin with: of 3.1.1 in the files named for it, of 5.0 everywhere else. */
function titled(of311: boolean): Set<string> {
  const ids = new Set<string>();
  for (const name of readdirSync(root, { recursive: true, encoding: "utf8" })) {
    if (!name.endsWith(".test.ts") || only311.test(name) !== of311) continue;
    for (const [title] of readFileSync(join(root, name), "utf8").matchAll(/(?<=["'`])(?:\[MQTT-[\d.-]+\] ?)+/g))
      for (const [, id] of title.matchAll(/\[MQTT-([\d.-]+)\]/g)) ids.add(id as string);
  }
  return ids;
}

describe.each([
  { version: "3.1.1", statements: mqtt311, counts: mqtt311Counts, of311: true },
  { version: "5.0", statements: mqtt5, counts: mqtt5Counts, of311: false },
])("the statements of MQTT $version", ({ statements, counts, of311 }) => {
  const ids = statements.map(([id]) => id);

  test("are all there, once", () => {
    expect(new Set(ids).size).toBe(ids.length);
    const found: Record<string, number> = {};
    for (const id of ids) found[id[0] as string] = (found[id[0] as string] ?? 0) + 1;
    expect(found).toEqual(counts);
  });

  test("are tested, each that binds us", () => {
    const tested = titled(of311);
    const missing = statements.filter(([id, , status]) => status === binds && !tested.has(id));
    expect(missing.map(([id, text]) => `${id} ${text}`)).toEqual([]);
  });

  test("are the only ones that tests name", () => {
    expect([...titled(of311)].filter((id) => !ids.includes(id))).toEqual([]);
  });
});
