import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { parse as parseYaml } from "yaml";
import {
  configJsonSchema,
  dereferenced,
  type JsonSchema,
  jsonSchemaText,
  knownKeys,
} from "../../src/config/json-schema.ts";
import { configReference } from "../../src/config/reference.ts";
import { drivers } from "../../src/drivers/registry.ts";
import { testDrivers } from "./support.ts";

const root = configJsonSchema(testDrivers);

describe("the JSON Schema for editors", () => {
  it.each(["gateway.yaml", "broker.yaml"])("accepts the structure of %s", async (name) => {
    const text = await readFile(new URL(`../fixtures/contract/${name}`, import.meta.url), "utf8");
    const { devices, ...sections } = parseYaml(text, { logLevel: "silent" });
    const known = (devices ?? []).filter((device: { driver: string }) =>
      ["bme280", "ds18b20", "digital-input"].includes(device.driver),
    );

    expect(violations(root, { ...sections, devices: known }, "")).toEqual([]);
  });

  it("refuses what the program refuses: unknown keys, other types, missing keys", () => {
    expect(violations(root, { mqtt: { kepp_alive: "30s" } }, "")).toEqual([".mqtt.kepp_alive"]);
    expect(violations(root, { broker: { limits: { sessions: "many" } } }, "")).toEqual([".broker.limits.sessions"]);
    expect(violations(root, { devices: [{ driver: "bme280" }] }, "")).toEqual([".devices.0"]);
  });

  it("has one alternative a driver, told apart by its name and aliases", () => {
    const alternatives = root.properties?.devices?.items?.anyOf ?? [];

    expect(alternatives.map(({ properties }) => properties?.driver?.const ?? properties?.driver?.enum)).toEqual([
      "bme280",
      ["sht4x", "sht40", "sht45"],
      "ds18b20",
      "digital-input",
      "digital-output",
    ]);
    expect(knownKeys(root, { devices: [{ driver: "sht40" }] }, ["devices", 0])).toContain("precision");
    expect(knownKeys(root, { devices: [{ driver: "sht40" }] }, ["devices", 0])).not.toContain("pin");
  });

  it("states defaults and examples as one writes them", () => {
    expect(root.properties?.store?.properties?.commit_window).toMatchObject({ default: "5s", title: "duration" });
    expect(root.properties?.store?.properties?.max_age?.examples).toEqual(["90d"]);
    expect(root.properties?.mqtt?.properties?.drain_rate?.default).toBe(200);
  });

  it("describes every key", () => {
    expect(undescribed(root, "")).toEqual([]);
  });

  it("is current in config/fieldpost.schema.json (else: `npx vitest run test/config -u`)", async () => {
    await expect(jsonSchemaText(drivers)).toMatchFileSnapshot("../../config/fieldpost.schema.json");
  });
});

describe("the reference", () => {
  const reference = configReference(testDrivers);

  it("has every section, key, default and driver", () => {
    expect(reference).toContain("## mqtt");
    expect(reference).toContain("| `commit_window` | duration | `5s` |");
    expect(reference).toContain("| `listeners[].tls.cert` | text | needed |");
    expect(reference).toContain("| `password` | text |  | Password at the broker (`!secret mqtt_password`) |");
    for (const { name } of testDrivers) expect(reference).toContain(`### ${name}\n`);
  });

  it("is config/reference.md (write it anew: `npx vitest run test/config -u`)", async () => {
    await expect(configReference(drivers)).toMatchFileSnapshot("../../config/reference.md");
  });

  it("names a driver's options, channels and limits", () => {
    expect(reference).toContain("| `precision` | `high`, `medium` or `low` | `high` | Repeatability |");
    expect(reference).toContain("Read every 100ms at most. Channels: `temperature` (°C), `humidity` (%).");
  });
});

/** Paths at which a value does not fit the schema; as much of JSON Schema as ours uses. */
function violations(schemaOrReference: JsonSchema, value: unknown, path: string): string[] {
  const schema = dereferenced(schemaOrReference, root);
  if (schema.anyOf) {
    const branches = schema.anyOf.map((branch) => violations(branch, value, path));
    return branches.some((found) => found.length === 0) ? [] : [path];
  }
  if (schema.const !== undefined) return schema.const === value ? [] : [path];
  if (schema.enum) return schema.enum.includes(value) ? [] : [path];
  if (![schema.type].flat().some((type) => isOfType(value, type))) return [path];
  if (Array.isArray(value))
    return value.flatMap((item, index) => violations(schema.items ?? {}, item, `${path}.${index}`));
  return typeof value === "object" && value ? mappingViolations(schema, value as Record<string, unknown>, path) : [];
}

function mappingViolations(schema: JsonSchema, value: Record<string, unknown>, path: string): string[] {
  const missing = (schema.required ?? []).filter((key) => !(key in value)).map((key) => `${path}.${key}`);
  const wrong = Object.entries(value).flatMap(([key, child]) => {
    const expected = schema.properties?.[key] ?? schema.additionalProperties;
    return typeof expected === "object" ? violations(expected, child, `${path}.${key}`) : [`${path}.${key}`];
  });
  return [...missing, ...wrong];
}

function isOfType(value: unknown, type: string | undefined): boolean {
  if (type === "array") return Array.isArray(value);
  if (type === "object") return typeof value === "object" && value !== null && !Array.isArray(value);
  if (type === "integer") return Number.isInteger(value);
  return typeof value === type;
}

function undescribed(schema: JsonSchema, path: string): string[] {
  const inside = schema.items ? [schema.items, ...(schema.items.anyOf ?? [])] : [schema];
  return inside.flatMap(({ properties }) =>
    Object.entries(properties ?? {}).flatMap(([key, child]) => [
      ...(child.description || path.includes(".channels") ? [] : [`${path}.${key}`]),
      ...undescribed(child, `${path}.${key}`),
    ]),
  );
}
