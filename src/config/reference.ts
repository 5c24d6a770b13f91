import { formatDurationMs } from "../core/duration.ts";
import { channelsOf, type Driver, isOnI2c } from "../drivers/driver.ts";
import { drivers as registry } from "../drivers/registry.ts";
import { functions } from "../processing/expression/functions.ts";
import { configJsonSchema, dereferenced, type JsonSchema } from "./json-schema.ts";

const INTRODUCTION = [
  "Durations are written `50ms`, `30s`, `10m`, `24h`, `90d`; sizes `500kB`, `2MB` (2,000,000 bytes), `1GiB`.",
  "`!secret NAME` takes a value from `secrets.yaml` beside the file, `!credential NAME` from systemd's credentials, and",
  `"\${NAME}" inside text takes it from the environment, "\${NAME:-5}" that or 5; a number where a number belongs.`,
].join("\n");

/** The reference of the configuration as Markdown: every key with its type, default and meaning, and every driver. */
export function configReference(drivers: readonly Driver[] = registry): string {
  const schema = configJsonSchema(drivers);
  const { devices, ...sections } = schema.properties ?? {};
  const alternatives = devices?.items?.anyOf ?? [];
  const parts = [
    "# Configuration reference",
    INTRODUCTION,
    ...Object.entries(sections).map(([name, schema]) => sectionText(name, schema)),
    devicesText(alternatives[0], drivers[0], schema),
    processingText(schema.$defs?.process ?? {}),
    ...drivers.map((driver) =>
      driverText(
        driver,
        alternatives.find((schema) => namesDriver(schema, driver)),
      ),
    ),
  ];
  return `${parts.join("\n\n")}\n`;
}

function sectionText(name: string, schema: JsonSchema): string {
  return [`## ${name}`, schema.description, table(rowsOf(schema, ""))].filter(Boolean).join("\n\n");
}

/** What every device has: what is left of one driver's keys without its own options. */
function devicesText(schema: JsonSchema | undefined, driver: Driver | undefined, root: JsonSchema): string {
  const own = new Set([...Object.keys(driver?.options ?? {}), "address", "driver", "bus"]);
  const properties = Object.fromEntries(Object.entries(schema?.properties ?? {}).filter(([key]) => !own.has(key)));
  const common = rowsOf({ ...schema, properties: { driver: DRIVER, bus: BUS, ...properties } }, "");
  const part = (id: string, prefix: string) => rowsOf(withReferences(root.$defs?.[id] ?? {}, root), prefix);
  const channels = [...part("channel", "channels.KEY."), ...part("computed", "computed.KEY.")];
  return [
    "## devices",
    "A list; each device has `driver`, these keys, and its driver's own.",
    table([...common, ...channels]),
  ].join("\n\n");
}

/** The schema with its properties in place of what they refer to. */
function withReferences(schema: JsonSchema, root: JsonSchema): JsonSchema {
  const properties = Object.entries(schema.properties ?? {}).map(([key, child]) => [key, dereferenced(child, root)]);
  return { ...schema, properties: Object.fromEntries(properties) };
}

/** The steps of `process`, and what a formula can call. */
function processingText(process: JsonSchema): string {
  const steps = (process.items?.anyOf ?? []).flatMap((step) => stepRows(step, ""));
  const usages = Object.values(functions).map(({ usage }) => `\`${usage}\``);
  return [
    "## Processing",
    "`process` is a list; each step is a mapping with its name. A value goes through them in order, before it is stored:",
    "```yaml\nprocess: [ { calibrate: { offset: -0.4 } }, { median: 5 }, { deadband: 0.2, at_least_every: 5m } ]\n```",
    table(steps),
    `A formula has numbers, channels by their keys (in \`process\` also \`value\`), \`+ - * / % ^\`, comparisons (1 where they hold, else 0), \`a ? b : c\`, and ${usages.join(", ")}. Where something is missing or the result is no finite number, there is no value. Times count while the machine is on. What a step remembers outlives a restart.`,
  ].join("\n\n");
}

/** A step's own row, which one always writes, and those below it. */
function stepRows(schema: JsonSchema, prefix: string): Row[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, child]) => {
    const key = `${prefix}${name}`;
    const alternatives = (child.anyOf ?? [child]).filter(({ properties }) => properties);
    const fallback = child.default === undefined ? "" : fallbackOf(child, false);
    const row = { key, type: typeOf(child), fallback, text: textOf(child) };
    return [row, ...alternatives.flatMap((alternative) => stepRows(alternative, `${key}.`))];
  });
}

const DRIVER: JsonSchema = {
  type: "string",
  description:
    "What it is: one of the drivers below. With another one, what is kept for the device (totals, states, baselines, offsets) begins anew",
};
const BUS: JsonSchema = {
  type: "string",
  description:
    "I2C bus: a number, a name such as `i2c-1`, `i2c-1/mux@0x70/3` for channel 3 of a TCA9548A at 0x70, or, for every driver, `sim` for a simulated device",
};

function namesDriver({ properties }: JsonSchema, { name }: Driver): boolean {
  return properties?.driver?.const === name || properties?.driver?.enum?.includes(name) === true;
}

function driverText(driver: Driver, schema: JsonSchema | undefined): string {
  const keys = [...(isOnI2c(driver) ? ["address"] : []), ...Object.keys(driver.options)];
  const properties = Object.fromEntries(Object.entries(schema?.properties ?? {}).filter(([key]) => keys.includes(key)));
  const rows = rowsOf({ ...schema, properties }, "");
  const channels = channelsOf(driver.channels).map(({ key, unit, eventTypes }) => {
    const more = eventTypes ? `events ${eventTypes.join(", ")}` : unit;
    return more ? `\`${key}\` (${more})` : `\`${key}\``;
  });
  return [
    `### ${driver.name}`,
    `${driver.title}.${driver.aliases?.length ? ` Also called ${driver.aliases.join(", ")}.` : ""}${driver.port === "planned" ? " Not active yet." : ""}`,
    `Read every ${formatDurationMs(driver.timing.minIntervalMs)} at most. ${channels.length ? `Channels: ${channels.join(", ")}.` : "Its channels are found when it opens."}`,
    rows.length ? table(rows) : "",
    driver.notes ?? "",
  ]
    .filter(Boolean)
    .join("\n\n");
}

interface Row {
  readonly key: string;
  readonly type: string;
  readonly fallback: string;
  readonly text: string;
}

function rowsOf(schema: JsonSchema, prefix: string): Row[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, child]) => {
    const key = `${prefix}${name}`;
    if (child.properties && child.type === "object" && name !== "channels") return rowsOf(child, `${key}.`);
    const row = {
      key,
      type: typeOf(child),
      fallback: fallbackOf(child, schema.required?.includes(name) ?? false),
      text: textOf(child),
    };
    return child.items?.properties ? [row, ...rowsOf(child.items, `${key}[].`)] : [row];
  });
}

function typeOf(schema: JsonSchema): string {
  const words = [...new Set(typeWords(schema))];
  return words.length > 1 ? `${words.slice(0, -1).join(", ")} or ${words.at(-1)}` : (words[0] ?? "any");
}

function typeWords(schema: JsonSchema): string[] {
  if (schema.title) return [schema.title];
  if (schema.const !== undefined) return [code(schema.const)];
  if (schema.enum) return schema.enum.map(code);
  if (schema.anyOf) return schema.anyOf.flatMap(typeWords);
  if (schema.type === "array")
    return [schema.items?.type === "object" ? "list" : `list of ${typeOf(schema.items ?? {})}`];
  const range =
    schema.minimum !== undefined && schema.maximum !== undefined ? ` ${schema.minimum} to ${schema.maximum}` : "";
  return [schema.type ?? "any"].flat().map((name) => `${typeNames[name] ?? "any"}${range}`);
}

const typeNames: Readonly<Record<string, string>> = {
  string: "text",
  integer: "whole number",
  number: "number",
  boolean: "true or false",
  object: "mapping",
};

function fallbackOf(schema: JsonSchema, required: boolean): string {
  if (schema.default !== undefined && schema.default !== "") return code(schema.default);
  return required && schema.default === undefined ? "needed" : "";
}

function textOf({ description = "", examples = [] }: JsonSchema): string {
  const [example] = examples;
  return example === undefined ? description : `${description} (${code(example)})`;
}

function code(value: unknown): string {
  return `\`${typeof value === "string" ? value : JSON.stringify(value)}\``;
}

function table(rows: readonly Row[]): string {
  const cell = (text: string): string => text.replaceAll("|", "\\|").replaceAll("\n", " ");
  const lines = rows.map(
    ({ key, type, fallback, text }) => `| \`${key}\` | ${cell(type)} | ${cell(fallback)} | ${cell(text)} |`,
  );
  return ["| key | type | default | meaning |", "|---|---|---|---|", ...lines].join("\n");
}
