import { Document, isMap, isSeq, type Node, Scalar, visit } from "yaml";
import type { Connection } from "./connection.ts";
import type { Draft } from "./draft.ts";

/** Stands where the password goes: it is printed as `!secret mqtt_password`. */
export const SECRET_PASSWORD = Symbol("!secret mqtt_password");
/** Keys whose numbers people read in hexadecimal. */
const HEXADECIMAL = new Set(["address"]);

/** Our configuration as YAML, with what was not carried as comments where it would have been. */
export function documentOf(connection: Connection, drafts: readonly Draft[], notes: readonly string[]): string {
  const document = new Document({ ...connection, ...(drafts.length > 0 && { devices: [] }) }, asWritten);
  if (isMap(document.contents)) {
    const devices = document.contents.get("devices");
    if (isSeq(devices)) devices.items = drafts.map((draft) => deviceNode(document, draft));
  }
  visit(document, {
    Pair: (_, { key, value }) => {
      if (isHex(key, value)) value.format = "HEX";
    },
  });
  document.commentBefore = comment(["Made by `fieldpost import mqtt-io`.", ...notes]);
  return document.toString({ lineWidth: 0 });
}

function deviceNode(document: Document, { device, notes }: Draft): Node {
  const node = document.createNode(device, asWritten);
  if (notes.length > 0) node.commentBefore = comment(notes);
  return node;
}

const comment = (lines: readonly string[]): string => lines.map((line) => ` ${line}`).join("\n");

/** `${` begins a reference to the environment in ours. */
function asWritten(_key: unknown, value: unknown): unknown {
  if (typeof value === "string") return value.replaceAll("${", () => "$${");
  if (value !== SECRET_PASSWORD) return value;
  const secret = new Scalar("mqtt_password");
  secret.tag = "!secret";
  return secret;
}

function isHex(key: unknown, value: unknown): value is Scalar<number> {
  const name = key instanceof Scalar ? key.value : undefined;
  return (
    HEXADECIMAL.has(String(name)) && value instanceof Scalar && typeof value.value === "number" && value.value >= 0
  );
}
