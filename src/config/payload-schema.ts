import { z } from "zod";
import { prettyJson } from "./pretty-json.ts";
import { payloads } from "./schema/payloads.ts";

/**
 * JSON Schema (2020-12) of each payload, under `$defs`; its `title` is the topic. Newer versions may add keys: readers
 * skip those they do not know.
 */
export function payloadJsonSchema(): Record<string, unknown> {
  const named = Object.entries(payloads).map(([name, { schema, topic, about, retained, form }]) => {
    const { $schema: _, ...own } = z.toJSONSchema(schema, {
      override: ({ jsonSchema }) => {
        if (jsonSchema.additionalProperties === false) delete jsonSchema.additionalProperties;
        if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
        if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
      },
    });
    const how = [form === "text" ? "plain text" : "JSON", ...(retained ? ["retained"] : [])].join(", ");
    return [name, { title: topic, description: `${about} (${how})`, ...own }];
  });
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "fieldpost payloads",
    $defs: Object.fromEntries(named),
  };
}

export function payloadSchemaText(): string {
  return `${prettyJson(payloadJsonSchema(), "")}\n`;
}
