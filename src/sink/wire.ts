import type { GapRow, ReadingRow } from "./sink-calls.ts";

/** What a gateway answers to `request/replay`. */
export interface ReplayAnswer {
  readonly ok: boolean;
  readonly epoch?: number;
  readonly from?: number;
  readonly to?: number;
  readonly last?: number;
  readonly missing: readonly (readonly [number, number])[];
  readonly code?: string;
}

type Fields = Readonly<Record<string, unknown>>;

/** `<base>/<gateway>/<device>/readings`; undefined for what is no reading. */
export function readingOf(topic: string, base: string, payload: Uint8Array): ReadingRow | undefined {
  const [gateway, device, leaf] = topic.slice(base.length + 1).split("/");
  const fields = parsed(payload);
  if (!gateway || !device || leaf !== "readings" || !fields) return undefined;
  const { epoch, seq, time, clock, values } = fields;
  if (!isCount(epoch) || !isCount(seq) || seq < 1 || typeof time !== "string" || typeof clock !== "string")
    return undefined;
  return { gateway, device, epoch, seq, time, clock, values: JSON.stringify(values ?? {}) };
}

/** What concerns us of a gateway's news on `gaps`. */
export function gapOf(gateway: string, consumer: string, payload: Uint8Array): GapRow | undefined {
  const { epoch, from, to, reason, consumer: whose } = parsed(payload) ?? {};
  if (!isCount(epoch) || !isCount(from) || !isCount(to) || from < 1 || to < from) return undefined;
  if (whose !== undefined && whose !== consumer) return undefined;
  return { gateway, epoch, from, to, reason: String(reason) };
}

export function answerOf(payload: Uint8Array): ReplayAnswer | undefined {
  const fields = parsed(payload);
  if (!fields) return undefined;
  const { ok, epoch, from, to, last, missing, error } = fields;
  const code = isFields(error) && typeof error.code === "string" ? error.code : undefined;
  return {
    ok: ok === true,
    ...(isCount(epoch) && { epoch }),
    ...(isCount(from) && { from }),
    ...(isCount(to) && { to }),
    ...(isCount(last) && { last }),
    missing: Array.isArray(missing) ? missing.filter(isRange) : [],
    ...(code !== undefined && { code }),
  };
}

function isRange(value: unknown): value is readonly [number, number] {
  return Array.isArray(value) && value.length === 2 && isCount(value[0]) && isCount(value[1]) && value[0] <= value[1];
}

function parsed(payload: Uint8Array): Fields | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(payload).toString("utf8"));
    return isFields(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null;
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}
