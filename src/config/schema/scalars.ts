import { z } from "zod";
import { formatDurationMs, parseDurationMs } from "../../core/duration.ts";
import { Secret } from "../secrets.ts";
import { formatSizeBytes, meantDuration, meantSize, parseSizeBytes } from "../units.ts";

/** The kinds of value that a configuration has. Defaults of those that are transformed: `.prefault("5s")`. */

const DAY_MS = 86_400_000;
/** Nothing is configured for longer than this. */
const LONGEST_MS = 3650 * DAY_MS;
const MAX_TEXT = 128;
const MAX_PATH = 4096;

/** One line of text. */
export function text(maxLength = MAX_TEXT) {
  return z
    .string()
    .min(1)
    .max(maxLength)
    .regex(/^[^\p{Cc}]*$/u, { error: "expected one line of text, without control characters" });
}

export function filePath() {
  return text(MAX_PATH);
}

/** A password and the like; `!secret NAME` and `${NAME}` were put in before. */
export function secret() {
  return text(1024).transform((value) => new Secret(value));
}

export function count(minimum: number, maximum: number) {
  return z.int().min(minimum).max(maximum);
}

/** `50ms`, `30s`, `1h30m`, `90d`, or 0; milliseconds inside. */
export function duration({ minMs = 0, maxMs = LONGEST_MS }: { readonly minMs?: number; readonly maxMs?: number } = {}) {
  return z
    .union([z.string(), z.number()])
    .transform((written, context) => {
      const ms = parseDurationMs(String(written));
      if (ms !== undefined && ms >= minMs && ms <= maxMs) return ms;
      context.issues.push({
        code: "custom",
        message: durationMessage(ms, String(written), minMs, maxMs),
        input: written,
      });
      return z.NEVER;
    })
    .meta({ title: "duration" });
}

function durationMessage(ms: number | undefined, written: string, minMs: number, maxMs: number): string {
  if (ms !== undefined) return `expected a duration from ${formatDurationMs(minMs)} to ${formatDurationMs(maxMs)}`;
  return `expected a duration with its unit, such as 500ms, 30s, 10m or 24h${meant(meantDuration(written))}`;
}

/** `2MB` (2,000,000), `1GiB` (2^30), or 0; bytes inside. */
export function size({
  minBytes = 0,
  maxBytes = 2 ** 50,
}: {
  readonly minBytes?: number;
  readonly maxBytes?: number;
} = {}) {
  return z
    .union([z.string(), z.number()])
    .transform((written, context) => {
      const bytes = parseSizeBytes(String(written));
      if (bytes !== undefined && bytes >= minBytes && bytes <= maxBytes) return bytes;
      const message =
        bytes === undefined
          ? `expected a size with its unit, such as 500kB, 64MB or 1GiB${meant(meantSize(String(written)))}`
          : `expected a size from ${formatSizeBytes(minBytes)} to ${formatSizeBytes(maxBytes)}`;
      context.issues.push({ code: "custom", message, input: written });
      return z.NEVER;
    })
    .meta({ title: "size" });
}

/** Only offered where we would take it ourselves. */
function meant(text: string | undefined): string {
  return text === undefined ? "" : `; did you mean \`${text}\`?`;
}

/** A number a second, or `unlimited` (`undefined` inside). */
export function rate(maximum = 1_000_000) {
  return z
    .union([z.number().positive().max(maximum), z.literal("unlimited")])
    .transform((written) => (written === "unlimited" ? undefined : written));
}

export function portNumber() {
  return count(1, 65535);
}

/** A topic or the beginning of one. */
export function topic() {
  return text(256).regex(/^[^+#/$][^+#]*(?<!\/)$/, {
    error: "expected a topic: no `+` or `#`, no `/` at its ends, no `$` at its start",
  });
}

/** 0 to 2. */
export function qosLevel() {
  return z.union([z.literal(0), z.literal(1), z.literal(2)]);
}
