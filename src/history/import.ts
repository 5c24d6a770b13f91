import { isGatewayError } from "../core/errors.ts";
import type { Hour, Series } from "./hours.ts";

/** Home Assistant's WebSocket API: resolves with a command's `result`, rejects where it has no success. */
export interface HomeAssistantApi {
  call(command: { readonly type: string; readonly [key: string]: unknown }): Promise<unknown>;
}

/** What became of one series. */
export interface Imported {
  readonly series: Series;
  readonly entity?: string;
  readonly hours: number;
  /** Why there are none. */
  readonly skipped?: string;
}

const hourMs = 3_600_000;
const ROWS = 500;

interface Metadata {
  readonly statistic_id: string;
  readonly has_sum: boolean;
  readonly name: string | null;
  readonly statistics_unit_of_measurement: string | null;
  readonly unit_class?: string | null;
  readonly mean_type?: number;
  readonly has_mean?: boolean;
}

/**
 * Puts the hours that an outage took into Home Assistant's long-term statistics (`recorder/import_statistics`). Home
 * Assistant takes what it is given, also hours to come, units of another kind and entities that there are not, so all of
 * that is looked up first. The same hours once more change nothing.
 */
export async function importHours(
  api: HomeAssistantApi,
  uniqueIdOf: (device: string, channel: string) => string,
  missed: readonly Series[],
  nowMs: number,
): Promise<Imported[]> {
  const entities = await entitiesByUniqueId(api);
  const entityOf = ({ device, channel }: Series) => entities.get(uniqueIdOf(device, channel));
  const ids = [...new Set(missed.flatMap((series) => entityOf(series) ?? []))];
  const metadata = ids.length > 0 ? await metadataOf(api, ids) : new Map<string, Metadata>();
  const outcomes: Imported[] = [];
  for (const series of missed) {
    const entity = entityOf(series);
    const known = entity === undefined ? undefined : metadata.get(entity);
    const skipped = whyNot(series, entity, known);
    if (skipped !== undefined || known === undefined) {
      outcomes.push({ series, ...(entity !== undefined && { entity }), hours: 0, ...(skipped && { skipped }) });
      continue;
    }
    outcomes.push({ series, entity: known.statistic_id, ...(await importSeries(api, known, series, nowMs)) });
  }
  return outcomes;
}

/** What Home Assistant refuses of one series holds up none of the others. */
async function importSeries(
  api: HomeAssistantApi,
  known: Metadata,
  series: Series,
  nowMs: number,
): Promise<Pick<Imported, "hours" | "skipped">> {
  const past = series.hours.filter(({ startMs }) => startMs + hourMs <= nowMs);
  try {
    const rows = await rowsOf(api, known, { ...series, hours: past });
    for (let at = 0; at < rows.length; at += ROWS) {
      const stats = rows.slice(at, at + ROWS);
      await api.call({ type: "recorder/import_statistics", metadata: metadataFor(known), stats });
    }
    return { hours: rows.length };
  } catch (error) {
    if (!isGatewayError(error, "HOME_ASSISTANT_REFUSED")) throw error;
    return { hours: 0, skipped: error.message };
  }
}

function whyNot(series: Series, entity: string | undefined, known: Metadata | undefined): string | undefined {
  if (entity === undefined) return "Home Assistant has no entity of it";
  if (known === undefined) return "Home Assistant keeps no statistics of it yet";
  const theirs = known.statistics_unit_of_measurement ?? undefined;
  if (theirs !== series.unit)
    return `Home Assistant keeps it in ${theirs ?? "no unit"}, not in ${series.unit ?? "none"}`;
  if (known.has_sum !== (series.kind !== "measurement")) return "Home Assistant keeps it as another kind of value";
  return undefined;
}

async function entitiesByUniqueId(api: HomeAssistantApi): Promise<Map<string, string>> {
  const list = await api.call({ type: "config/entity_registry/list" });
  return new Map(
    arrayOf(list).flatMap(({ platform, unique_id: uniqueId, entity_id: entityId }) =>
      platform === "mqtt" && typeof uniqueId === "string" && typeof entityId === "string" ? [[uniqueId, entityId]] : [],
    ),
  );
}

async function metadataOf(api: HomeAssistantApi, ids: readonly string[]): Promise<Map<string, Metadata>> {
  const list = await api.call({ type: "recorder/get_statistics_metadata", statistic_ids: ids });
  return new Map(
    arrayOf(list).flatMap((one) =>
      typeof one.statistic_id === "string" ? [[one.statistic_id, one as unknown as Metadata]] : [],
    ),
  );
}

/** Older versions know `has_mean` alone, newer ones (from 2026.11) want the other two. */
function metadataFor({ statistic_id, has_sum, name, statistics_unit_of_measurement, unit_class, ...mean }: Metadata) {
  return {
    statistic_id,
    source: "recorder",
    name,
    has_sum,
    has_mean: !has_sum,
    mean_type: mean.mean_type ?? (has_sum ? 0 : 1),
    unit_class: unit_class ?? null,
    unit_of_measurement: statistics_unit_of_measurement,
  };
}

async function rowsOf(api: HomeAssistantApi, known: Metadata, series: Series): Promise<Record<string, unknown>[]> {
  const start = ({ startMs }: Hour) => new Date(startMs).toISOString().replace(".000Z", "+00:00");
  const { hours } = series;
  const [first] = hours;
  if (first === undefined) return [];
  if (!known.has_sum)
    return hours.map((hour) => ({ start: start(hour), mean: hour.mean, min: hour.min, max: hour.max }));
  const base = await sumBefore(api, known.statistic_id, first.startMs);
  const before = base === undefined ? 0 : growth(series, base.state);
  return hours.map((hour) => ({
    start: start(hour),
    state: hour.state,
    sum: (base?.sum ?? 0) + before + hour.grown,
  }));
}

/** From where Home Assistant last saw it to where the series begins. */
function growth({ kind, first }: Series, state: number): number {
  return kind === "total_increasing" && first < state ? first : first - state;
}

/** The last sum that Home Assistant has of before, looked for within a month. */
async function sumBefore(api: HomeAssistantApi, id: string, beforeMs: number) {
  const found = await api.call({
    type: "recorder/statistics_during_period",
    start_time: new Date(beforeMs - 31 * 24 * hourMs).toISOString(),
    end_time: new Date(beforeMs).toISOString(),
    statistic_ids: [id],
    period: "hour",
    types: ["state", "sum"],
  });
  const rows = typeof found === "object" && found !== null ? arrayOf((found as Record<string, unknown>)[id]) : [];
  const last = rows.filter(({ sum, state }) => typeof sum === "number" && typeof state === "number").at(-1);
  return last && { sum: last.sum as number, state: last.state as number };
}

function arrayOf(value: unknown): Record<string, unknown>[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === "object" && one !== null) : [];
}
