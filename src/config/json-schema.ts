import { z } from "zod";
import type { Driver } from "../drivers/driver.ts";
import { oncePerKey } from "./once.ts";
import { isMapping, type Path } from "./paths.ts";
import { prettyJson } from "./pretty-json.ts";
import { configSchema } from "./schema/config.ts";

/** The part of JSON Schema that our own schema is made of. */
export interface JsonSchema {
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, JsonSchema>>;
  readonly type?: string | readonly string[];
  readonly title?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly examples?: readonly unknown[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: JsonSchema | boolean;
  readonly items?: JsonSchema;
  readonly minimum?: number;
  readonly maximum?: number;
}

/**
 * JSON Schema (2020-12) of what one writes, for editors: the VS Code YAML extension takes it as it is, given
 * `"yaml.customTags": ["!secret scalar", "!credential scalar"]`.
 */
export const configJsonSchema = oncePerKey(makeJsonSchema);

function makeJsonSchema(drivers: readonly Driver[]): JsonSchema {
  const schema = z.toJSONSchema(configSchema(drivers), {
    io: "input",
    override: ({ zodSchema, jsonSchema }) => {
      // Left out of the input side by zod where a value is transformed; ours are always written as one writes them.
      const examples = z.globalRegistry.get(zodSchema)?.examples;
      if (Array.isArray(examples)) jsonSchema.examples = examples;
      // An alternative a driver: editors complete `anyOf` better than `oneOf`.
      if (jsonSchema.oneOf) {
        jsonSchema.anyOf = jsonSchema.oneOf;
        delete jsonSchema.oneOf;
      }
      // The bounds of a safe integer and an empty section say nothing to a reader.
      if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
      if (isMapping(jsonSchema.default) && Object.keys(jsonSchema.default).length === 0) delete jsonSchema.default;
    },
  });
  return { title: "fieldpost configuration", ...schema } as JsonSchema;
}

/** The schema as the text of a file, with its line breaks where the formatter would put them. */
export function jsonSchemaText(drivers: readonly Driver[]): string {
  return `${prettyJson(configJsonSchema(drivers), "")}\n`;
}

/** The keys that may stand in the mapping at `path` of `tree`. */
export function knownKeys(schema: JsonSchema, tree: unknown, path: Path): string[] {
  return [...new Set(alternativesAt(schema, tree, path).flatMap(({ properties }) => Object.keys(properties ?? {})))];
}

/** What may stand at `path`: where the schema branches, the branches that fit what is there. */
function alternativesAt(schema: JsonSchema, tree: unknown, path: Path): JsonSchema[] {
  let node = tree;
  let found = branchesOf(schema, node);
  for (const step of path) {
    node = isMapping(node) ? node[step] : Array.isArray(node) ? node[Number(step)] : undefined;
    found = found
      .flatMap((alternative) => childrenOf(alternative, step))
      .flatMap((child) => branchesOf(dereferenced(child, schema), node));
  }
  return found;
}

/** The schema itself, or what it refers to in the root's `$defs`. */
export function dereferenced(schema: JsonSchema, root: JsonSchema): JsonSchema {
  const name = schema.$ref?.replace("#/$defs/", "");
  return (name !== undefined && root.$defs?.[name]) || schema;
}

function childrenOf(schema: JsonSchema, step: string | number): JsonSchema[] {
  if (typeof step === "number") return schema.items ? [schema.items] : [];
  const child =
    schema.properties && Object.hasOwn(schema.properties, step) ? schema.properties[step] : schema.additionalProperties;
  return typeof child === "object" ? [child] : [];
}

function branchesOf(schema: JsonSchema, node: unknown): JsonSchema[] {
  if (!schema.anyOf) return [schema];
  return schema.anyOf.flatMap((branch) => branchesOf(branch, node)).filter((branch) => fitsDriver(branch, node));
}

function fitsDriver({ properties }: JsonSchema, node: unknown): boolean {
  const driver = properties?.driver;
  if (!driver || !isMapping(node)) return true;
  return driver.const === node.driver || driver.enum?.includes(node.driver) === true;
}
