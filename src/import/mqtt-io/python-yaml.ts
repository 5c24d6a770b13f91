import { isScalar, LineCounter, parseDocument, type Scalar, visit } from "yaml";
import { guardTokens } from "../../config/yaml/guard.ts";
import { GatewayError } from "../../core/errors.ts";

/** What PyYAML takes for a number (its resolver.py): `000803702e49`, the address of a sensor, is none. */
const INTEGER = /^[-+]?(?:0b[01_]+|0[0-7_]+|0|[1-9][0-9_]*|0x[0-9a-fA-F_]+|[1-9][0-9_]*(?::[0-5]?[0-9])+)$/;
const FLOAT =
  /^(?:[-+]?[0-9][0-9_]*\.[0-9_]*(?:[eE][-+][0-9]+)?|\.[0-9][0-9_]*(?:[eE][-+][0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$/;
const BOOLEAN = /^(?:yes|no|true|false|on|off)$/i;

/** Reads YAML 1.1 as PyYAML does, which mqtt-io reads its file with. Throws CONFIG_INVALID. */
export function readPythonYaml(text: string): unknown {
  if (guardTokens(text).tooDeep) throw new GatewayError("CONFIG_INVALID", "nested too deeply to be a configuration");
  const lines = new LineCounter();
  const document = parseDocument(text, { version: "1.1", uniqueKeys: false, lineCounter: lines, logLevel: "silent" });
  const [error] = document.errors;
  if (error) {
    const { line, col } = lines.linePos(error.pos[0]);
    const template = /\{[{%]/.test(text) ? "; where it is a template, render it first" : "";
    const sentence = error.message.split("\n")[0]?.replace(/ at line .*$/, "") ?? "";
    throw new GatewayError("CONFIG_INVALID", `line ${line}, column ${col}: ${sentence}${template}`);
  }
  visit(document, { Scalar: (_, node) => asPython(node) });
  try {
    return document.toJS({ maxAliasCount: 1000 });
  } catch (cause) {
    throw new GatewayError("CONFIG_INVALID", "its anchors and aliases cannot be followed", { cause });
  }
}

/** Turns what YAML 1.1 and PyYAML see differently back into its text. */
function asPython(node: Scalar): void {
  if (!isScalar(node) || node.type !== "PLAIN" || node.source === undefined || node.source === "") return;
  const { value, source } = node;
  const isNumber = typeof value === "number" || typeof value === "bigint";
  if (isNumber && !INTEGER.test(source) && !FLOAT.test(source)) node.value = source;
  else if (typeof value === "bigint") node.value = Number(value);
  else if (typeof value === "boolean" && !BOOLEAN.test(source)) node.value = source;
  else if (value instanceof Date) node.value = source;
}
