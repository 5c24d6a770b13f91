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
  const levels = new Map<string | undefined, LogLevel>([[undefined, level]]);
  const logOf = (part: string | undefined): Log => {
    const at =
      (name: LogLevel) =>
      (message: string, fields: LogFields = {}) => {
        const least = levels.get(part) ?? levels.get(undefined) ?? level;
        if (ranks[name].number >= ranks[least].number) write(lineOf[style]({ level: name, part, message, fields }));
      };
    return { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error"), part: (name) => logOf(name) };
  };
  return { ...logOf(undefined), setLevel: (changed, part) => void levels.set(part, changed) };
}

interface Entry {
  readonly level: LogLevel;
  readonly part: string | undefined;
  readonly message: string;
  readonly fields: LogFields;
}

/** The numbers are those of pino and Bunyan, whose readers take the JSON form. */
const ranks: Record<LogLevel, { readonly number: number; readonly journal: string; readonly word: string }> = {
  debug: { number: 20, journal: "<7>", word: "debug" },
  info: { number: 30, journal: "<6>", word: "info " },
  warn: { number: 40, journal: "<4>", word: "warn " },
  error: { number: 50, journal: "<3>", word: "error" },
};

const lineOf: Record<LogStyle, (entry: Entry) => string> = {
  journal: (entry) => `${ranks[entry.level].journal}${textOf(entry)}\n`,
  terminal: (entry) => `${timeNow().slice(11, 23)} ${ranks[entry.level].word} ${textOf(entry)}\n`,
  json({ level, part, message, fields }) {
    const short = Object.fromEntries(
      Object.entries(fields).map(([key, value]) => [key, typeof value === "string" ? shortened(value) : value]),
    );
    return `${JSON.stringify({ level: ranks[level].number, time: timeNow(), part, ...short, msg: message })}\n`;
  },
};

function timeNow(): string {
  return new Date().toISOString();
}

function textOf({ part, message, fields }: Entry): string {
  return [part === undefined ? "" : `${part}: `, message, ...Object.entries(fields).map(renderField)].join("");
}

function renderField([key, value]: [string, unknown]): string {
  if (value === undefined) return "";
  const text = shortened(typeof value === "string" ? value : JSON.stringify(value));
  return ` ${key}=${/[\s"=\p{C}]/u.test(text) ? quoted(text) : text}`;
}

/** What others chose (a client id has up to 64 KB) must neither fill the log nor steer the terminal. */
const FIELD_MAX_CHARS = 2000;

function shortened(text: string): string {
  if (text.length <= FIELD_MAX_CHARS) return text;
  return `${text.slice(0, FIELD_MAX_CHARS)}… (${text.length} characters)`;
}

function quoted(text: string): string {
  return JSON.stringify(text).replace(/\p{C}/gu, (char) => `\\u{${char.codePointAt(0)?.toString(16)}}`);
}
