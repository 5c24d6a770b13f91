/** Milliseconds in each unit of a duration as people write it. */
const unitMs = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const;

const DURATION = /^(?:\d+(?:\.\d+)?(?:ms|s|m|h|d|w))+$/;

/**
 * Milliseconds of `50ms`, `1.5s`, `10m`, `1h30m`, `90d`, `2w`; `0` needs no unit. `undefined` for anything else: a number
 * without its unit is a mistake worth asking about.
 */
export function parseDurationMs(text: string): number | undefined {
  const compact = text.trim();
  if (compact === "0") return 0;
  if (!DURATION.test(compact)) return undefined;
  const parts = compact.matchAll(/([\d.]+)(ms|s|m|h|d|w)/g);
  const totalMs = [...parts].reduce((sum, [, amount, unit]) => sum + Number(amount) * unitMs[unit as Unit], 0);
  return Math.round(totalMs);
}

/** The shortest way to write it that `parseDurationMs` reads back: `90000` is `90s`, `5400000` is `90m`. */
export function formatDurationMs(durationMs: number): string {
  const unit = (["w", "d", "h", "m", "s"] as const).find((name) => durationMs % unitMs[name] === 0 && durationMs > 0);
  return unit ? `${durationMs / unitMs[unit]}${unit}` : `${durationMs}ms`;
}

type Unit = keyof typeof unitMs;
