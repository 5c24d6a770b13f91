const unitBytes = {
  B: 1,
  kB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
} as const;

type SizeUnit = keyof typeof unitBytes;

/** Bytes of `2MB` (2,000,000), `1GiB` (1,073,741,824), `64 kB`; `0` needs no unit. `undefined` for anything else. */
export function parseSizeBytes(text: string): number | undefined {
  if (text.trim() === "0") return 0;
  const match = /^(\d+(?:\.\d+)?) ?([kMGT]?B|[KMGT]iB)$/.exec(text.trim());
  if (!match) return undefined;
  return Math.round(Number(match[1]) * unitBytes[match[2] as SizeUnit]);
}

/** The shortest way to write it that `parseSizeBytes` reads back. */
export function formatSizeBytes(bytes: number): string {
  const units = Object.entries(unitBytes).sort(([, a], [, b]) => b - a);
  const unit = units.find(([, factor]) => bytes >= factor && bytes % factor === 0);
  return unit ? `${bytes / unit[1]}${unit[0]}` : `${bytes}B`;
}

/** The same amount as somebody in a hurry meant it: `10M`, `64mb`, `5 min`, `30sec`. */
export function meantDuration(text: string): string | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i.exec(text.trim());
  const unit = match?.[2] === "" ? "s" : durationUnits[match?.[2]?.toLowerCase() ?? ""];
  return match && unit ? `${match[1]}${unit}` : undefined;
}

export function meantSize(text: string): string | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*([kmgt]?)(i?)(b?|bytes?)$/i.exec(text.trim());
  if (!match) return undefined;
  const [, amount, prefix = "", binary] = match;
  const letter = prefix.toLowerCase() === "k" && !binary ? "k" : prefix.toUpperCase();
  return `${amount}${letter || (match[4] ? "" : "M")}${letter && binary ? "i" : ""}B`;
}

const durationUnits: Readonly<Record<string, string>> = {
  ms: "ms",
  msec: "ms",
  millis: "ms",
  milliseconds: "ms",
  s: "s",
  sec: "s",
  secs: "s",
  second: "s",
  seconds: "s",
  m: "m",
  min: "m",
  mins: "m",
  minute: "m",
  minutes: "m",
  h: "h",
  hr: "h",
  hour: "h",
  hours: "h",
  d: "d",
  day: "d",
  days: "d",
  w: "w",
  week: "w",
  weeks: "w",
};
