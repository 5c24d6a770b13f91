import type { Log, LogFields } from "../../src/core/log.ts";

export interface LogLine {
  readonly level: "debug" | "info" | "warn" | "error";
  readonly part: string | undefined;
  readonly message: string;
  readonly fields: LogFields;
}

/** A log that keeps its lines for the test to look at. */
export interface FakeLog extends Log {
  readonly lines: LogLine[];
}

export function fakeLog(lines: LogLine[] = [], part?: string): FakeLog {
  const at =
    (level: LogLine["level"]) =>
    (message: string, fields: LogFields = {}) =>
      void lines.push({ level, part, message, fields });
  return {
    lines,
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
    part: (name) => fakeLog(lines, name),
  };
}
