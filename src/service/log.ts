import { type DestinationStream, type LevelWithSilent, type Logger, pino } from "pino";
import type { Log, LogFields } from "../core/log.ts";

/** Where lines go: journald reads the priority from `<N>` at a line's start (sd-daemon(3)); people read words. */
export type LogStyle = "journal" | "terminal" | "json";

export const LOG_LEVELS = ["debug", "info", "warn", "error"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export interface RootLog extends Log {
  /** Changes the level of every part, or of one. */
  setLevel(level: LogLevel, part?: string): void;
}

/** systemd sets JOURNAL_STREAM for a service whose output it reads. */
export function logStyle(env: NodeJS.ProcessEnv, wanted?: string): LogStyle {
  if (wanted === "json") return "json";
  return env.JOURNAL_STREAM ? "journal" : "terminal";
}

export function createLog(style: LogStyle, level: LogLevel, write: (line: string) => void): RootLog {
  const stream: DestinationStream = { write: style === "json" ? write : (line) => write(render(line, style)) };
  const base = null;
  const root = pino({ level: "trace", base, timestamp: pino.stdTimeFunctions.isoTime }, stream);
  const levels = new Map<string | undefined, LogLevel>([[undefined, level]]);
  const loggers = new Map<string | undefined, Logger>();

  const levelOf = (part: string | undefined): LevelWithSilent => levels.get(part) ?? levels.get(undefined) ?? level;
  const loggerOf = (part: string | undefined): Logger => {
    const known = loggers.get(part);
    if (known) return known;
    const made = part === undefined ? root.child({}) : root.child({ part });
    made.level = levelOf(part);
    loggers.set(part, made);
    return made;
  };
  const logOf = (part: string | undefined): Log => {
    const at =
      (name: LogLevel) =>
      (message: string, fields: LogFields = {}) =>
        loggerOf(part)[name](fields, message);
    return { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error"), part: (name) => logOf(name) };
  };
  return {
    ...logOf(undefined),
    setLevel(changed, part) {
      levels.set(part, changed);
      for (const [name, logger] of loggers) logger.level = levelOf(name);
    },
  };
}

const priorities: Record<number, { readonly journal: string; readonly word: string }> = {
  20: { journal: "<7>", word: "debug" },
  30: { journal: "<6>", word: "info " },
  40: { journal: "<4>", word: "warn " },
  50: { journal: "<3>", word: "error" },
};

function render(line: string, style: LogStyle): string {
  const { level, time, msg, part, ...fields } = JSON.parse(line) as Record<string, unknown>;
  const { journal, word } = priorities[Number(level)] ?? { journal: "<6>", word: "info " };
  const text = [part === undefined ? "" : `${part}: `, msg, ...Object.entries(fields).map(renderField)].join("");
  return style === "journal" ? `${journal}${text}\n` : `${String(time).slice(11, 23)} ${word} ${text}\n`;
}

function renderField([key, value]: [string, unknown]): string {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return ` ${key}=${/[\s"=]/.test(text) ? JSON.stringify(text) : text}`;
}
