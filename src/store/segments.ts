import type { OutboxRecord, StoredRecord } from "../core/reading.ts";

/** Records as they travel between the main thread and the worker: one boot, one epoch, no hole. */
export interface SegmentText {
  readonly position0: number;
  readonly count: number;
  readonly boot: string;
  readonly mono0: number;
  readonly mono1: number;
  /** JSON: a `SegmentBody`; of schema 2 and before, its `rows` alone. */
  readonly text: string;
}

/**
 * Says itself what it holds, under the checksum of its blob: it can be salvaged from a database of which nothing else is
 * left, and a damaged row beside it does not give its records another name.
 */
export interface SegmentBody {
  readonly position: number;
  readonly epoch: number;
  /** Of the first record. */
  readonly seq: number;
  readonly boot: string;
  readonly mono: number;
  /** Nobody waited for anything up to this position any more when it was written. */
  readonly settled: number;
  readonly rows: readonly SegmentRow[];
}

/** `at`: whole milliseconds since the record before, or since `mono`. */
type SegmentRow = Omit<OutboxRecord, "at"> & { readonly at: number };

export interface EpochRow {
  readonly epoch: number;
  readonly base: number;
  /** Boot id of the kernel. */
  readonly boot: string;
}

/** So many at most, to bound what one read inflates. */
const MAX_RECORDS = 2000;

/** Groups records (in order) into as few segments as can be. */
export function segmentsOf(records: readonly StoredRecord[], settled: number): SegmentText[] {
  const runs: StoredRecord[][] = [];
  for (const stored of records) {
    const run = runs.at(-1);
    const last = run?.at(-1);
    if (run && last && run.length < MAX_RECORDS && continues(last, stored)) run.push(stored);
    else runs.push([stored]);
  }
  return runs.map((run) => segmentOf(run, settled));
}

function continues(last: StoredRecord, next: StoredRecord): boolean {
  return (
    next.position === last.position + 1 && next.epoch === last.epoch && next.record.at.boot === last.record.at.boot
  );
}

function segmentOf(run: readonly StoredRecord[], settled: number): SegmentText {
  const [first, last] = [run[0], run.at(-1)];
  if (!first || !last) throw new Error("a segment has at least one record");
  const mono0 = Math.round(first.record.at.monoMs);
  let monoMs = mono0;
  // Times are most of what does not compress: short whole differences save a third of the disk.
  const rows = run.map(({ record }) => {
    const at = Math.round(record.at.monoMs) - monoMs;
    monoMs += at;
    return { ...record, at };
  });
  const { boot } = first.record.at;
  const { position, epoch, seq } = first;
  const body: SegmentBody = { position, epoch, seq, boot, mono: mono0, settled, rows };
  return {
    position0: position,
    count: run.length,
    boot,
    mono0,
    mono1: Math.round(last.record.at.monoMs),
    text: JSON.stringify(body),
  };
}

/** The records of a segment; `epochs` for those that do not say it themselves. */
export function recordsOf(segment: SegmentText, epochs: readonly EpochRow[]): StoredRecord[] {
  const parsed: SegmentBody | readonly SegmentRow[] = JSON.parse(segment.text);
  const { position, epoch, seq, boot, mono, rows } = "rows" in parsed ? parsed : oldBody(segment, parsed, epochs);
  let monoMs = mono;
  return rows.map((row, index) => {
    monoMs += row.at;
    const record = { ...row, at: { boot, monoMs } };
    return { position: position + index, epoch, seq: seq + index, record };
  });
}

function oldBody(segment: SegmentText, rows: readonly SegmentRow[], epochs: readonly EpochRow[]): SegmentBody {
  const { position0: position, boot, mono0: mono } = segment;
  const { epoch, base } = epochOf(epochs, position);
  return { position, epoch, seq: position - base, boot, mono, settled: 0, rows };
}

function epochOf(epochs: readonly EpochRow[], position: number): EpochRow {
  const epoch = epochs.findLast((candidate) => candidate.base < position);
  if (!epoch) throw new Error(`no epoch for position ${position}`);
  return epoch;
}
