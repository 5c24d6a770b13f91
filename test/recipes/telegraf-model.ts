import { execFileSync } from "node:child_process";
import { join } from "node:path";

const CONFIG = join(import.meta.dirname, "../../config/recipes/telegraf.conf");

interface FieldPath {
  readonly path: string;
  readonly rename?: string;
  readonly type?: "int" | "float" | "string" | "bool" | "uint";
}

export interface Consumer {
  readonly topics: readonly string[];
  readonly qos: number;
  readonly persistent_session: boolean;
  readonly client_id: string;
  readonly topic_tag: string;
  readonly data_format: string;
  readonly topic_parsing: readonly { readonly topic: string; readonly tags: string }[];
  readonly json_v2: readonly {
    readonly measurement_name: string;
    readonly timestamp_path: string;
    readonly timestamp_format: string;
    readonly field: readonly FieldPath[];
    readonly object: readonly { readonly path: string }[];
  }[];
}

/** The recipe as a TOML reader has it (Python's, which Debian has). */
export function telegrafConfig(): { readonly inputs: { readonly mqtt_consumer: readonly Consumer[] } } {
  const script = "import json, sys, tomllib; print(json.dumps(tomllib.load(open(sys.argv[1], 'rb'))))";
  return JSON.parse(execFileSync("/usr/bin/python3", ["-c", script, CONFIG], { encoding: "utf8" }));
}

export interface Point {
  readonly measurement: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly fields: Readonly<Record<string, string>>;
  readonly timeNs: bigint;
}

/**
 * What Telegraf makes of a message, as far as the recipe uses it. After `topic_parser.go` (`_` skips a level, a name
 * makes a tag) and `json_v2/parser.go` (the metric's timestamp, each `field`, each key of an `object` under its own name;
 * numbers without a type are floats). A model: Telegraf itself is not to be had where the tests run.
 */
export function pointOf(consumer: Consumer, topic: string, payload: string): Point {
  const [parsing] = consumer.topic_parsing;
  const [metric] = consumer.json_v2;
  if (!parsing || !metric) throw new Error("the recipe has no topic_parsing or no json_v2");
  const message = JSON.parse(payload);
  const levels = topic.split("/");
  const tags = parsing.tags.split("/").flatMap((name, level) => (name === "_" ? [] : [[name, levels[level] ?? ""]]));
  const fields = [
    ...metric.object.flatMap(({ path }) => Object.entries(message[path]).map(([key, value]) => [key, written(value)])),
    ...metric.field.map(({ path, rename = path, type }) => [rename, written(message[path], type)]),
  ];
  return {
    measurement: metric.measurement_name,
    tags: Object.fromEntries(tags),
    fields: Object.fromEntries(fields),
    timeNs: BigInt(Date.parse(message[metric.timestamp_path])) * 1_000_000n,
  };
}

function written(value: unknown, type?: FieldPath["type"]): string {
  if (value === undefined || value === null || typeof value === "object") throw new Error("a path that leads nowhere");
  if (type === "int") return `${Number(value)}i`;
  if (typeof value === "string") return `"${value.replaceAll(/["\\]/g, "\\$&")}"`;
  return String(value);
}

/** InfluxDB's line protocol. */
export function lineOf({ measurement, tags, fields, timeNs }: Point): string {
  const escaped = (text: string) => text.replaceAll(/[,= ]/g, "\\$&");
  const pairs = (all: Readonly<Record<string, string>>, value: (text: string) => string) =>
    Object.entries(all).map(([key, text]) => `${escaped(key)}=${value(text)}`);
  return `${[escaped(measurement), ...pairs(tags, escaped)].join(",")} ${pairs(fields, String).join(",")} ${timeNs}`;
}
