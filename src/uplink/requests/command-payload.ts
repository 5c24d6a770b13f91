import type { Command } from "../../core/command.ts";
import { parseDurationMs } from "../../core/duration.ts";
import { GatewayError } from "../../core/errors.ts";

const MAX_BYTES = 1024;
const FOR_MAX_MS = 7 * 86_400_000;
const NUMBER = /^[+-]?\d{1,20}(\.\d{1,20})?$/;
const WORDS: ReadonlyMap<string, Command["on"]> = new Map<string, Command["on"]>([
  ["on", true],
  ["true", true],
  ["1", true],
  ["off", false],
  ["false", false],
  ["0", false],
  ["toggle", "toggle"],
]);

/**
 * `on`, `off` and `toggle` in any case, `true`, `false`, `1`, `0`, a number, `reset`; or JSON: `{"state": "on", "for": "30s", "time":
 * "2026-05-01T10:00:00Z"}`, where `for` is a duration or milliseconds, and `{"value": 42}`. Throws COMMAND_INVALID.
 */
export function parseCommand(payload: Uint8Array): Command {
  if (payload.length > MAX_BYTES) throw invalid(`it has ${payload.length} bytes; ${MAX_BYTES} are the most`);
  const text = Buffer.from(payload).toString("utf8").trim();
  const plain = plainCommand(text);
  return Object.keys(plain).length > 0 ? plain : parseObject(text);
}

function plainCommand(text: string): Pick<Command, "on" | "reset" | "value"> {
  if (text.toLowerCase() === "reset") return { reset: true };
  const on = WORDS.get(text.toLowerCase());
  return { ...(on !== undefined && { on }), ...(NUMBER.test(text) && { value: Number(text) }) };
}

function parseObject(text: string): Command {
  const value = jsonOf(text);
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw invalid(`expected on, off, toggle, a number or {"state": "on"}, not ${JSON.stringify(text.slice(0, 64))}`);
  }
  const { state, value: number, for: lasting, time, ...unknown } = value as Record<string, unknown>;
  const [surplus] = Object.keys(unknown);
  if (surplus !== undefined)
    throw invalid(`${JSON.stringify(surplus.slice(0, 64))} is none of state, value, for and time`);
  if (state !== undefined && number !== undefined) throw invalid("`state` and `value` exclude each other");
  return {
    ...(number === undefined ? { on: stateOf(state) } : { value: numberOf(number) }),
    ...(lasting !== undefined && { forMs: lastingMs(lasting) }),
    ...(time !== undefined && { atMs: timeOf(time) }),
  };
}

function stateOf(state: unknown): NonNullable<Command["on"]> {
  const on = typeof state === "object" ? undefined : WORDS.get(String(state).toLowerCase());
  if (on === undefined) throw invalid("`state` is none of on, off and toggle");
  return on;
}

function numberOf(value: unknown): number {
  if (typeof value === "number" && Number.isFinite(value)) return value;
  throw invalid("`value` is no number");
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function lastingMs(value: unknown): number {
  const ms = typeof value === "string" ? parseDurationMs(value) : value;
  if (typeof ms === "number" && Number.isFinite(ms) && ms > 0 && ms <= FOR_MAX_MS) return ms;
  throw invalid("`for` is no duration of up to 7 days: `30s`, or milliseconds");
}

function timeOf(value: unknown): number {
  const ms = typeof value === "string" ? Date.parse(value) : value;
  if (typeof ms === "number" && Number.isFinite(ms)) return ms;
  throw invalid('`time` is no time: `"2026-05-01T10:00:00Z"`, or milliseconds since 1970');
}

function invalid(why: string): GatewayError {
  return new GatewayError("COMMAND_INVALID", `not a command: ${why}`);
}
