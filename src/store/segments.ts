import type { OutboxRecord, StoredRecord } from "../core/reading.ts";

/** Records as they travel between the main thread and the worker: one boot, one epoch, no hole. */
export interface SegmentText {
  readonly position0: number;
  readonly count: number;
  readonly boot: string;
  readonly mono0: number;
  readonly mono1: number;
  /** JSON: the records, `at` being the whole milliseconds since the record before, or since `mono0`. */
  readonly text: string;
}

export interface EpochRow {
  readonly epoch: number;
  readonly base: number;
  /** Boot id of the kernel. */
  readonly boot: string;
}

/** So many at most, to bound what one read inflates. */
const MAX_RECORDS = 2000;

/** Groups records (in order) into as few segments as can be. */
export function segmentsOf(records: readonly StoredRecord[]): SegmentText[] {
  const runs: StoredRecord[][] = [];
  for (const stored of records) {
    const run = runs.at(-1);
    const last = run?.at(-1);
    if (run && last && run.length < MAX_RECORDS && continues(last, stored)) run.push(stored);
    else runs.push([stored]);
  }
  return runs.map(segmentOf);
}

function continues(last: StoredRecord, next: StoredRecord): boolean {
  return (
    next.position === last.position + 1 && next.epoch === last.epoch && next.record.at.boot === last.record.at.boot
  );
}

function segmentOf(run: readonly StoredRecord[]): SegmentText {
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
  const mono1 = Math.round(last.record.at.monoMs);
  return { position0: first.position, count: run.length, boot, mono0, mono1, text: JSON.stringify(rows) };
}

/** The records of a segment, with the epoch and seq that their positions belong to. */
export function recordsOf(segment: SegmentText, epochs: readonly EpochRow[]): StoredRecord[] {
  const rows: Array<Omit<OutboxRecord, "at"> & { at: number }> = JSON.parse(segment.text);
  const { epoch, base } = epochOf(epochs, segment.position0);
  let monoMs = segment.mono0;
  return rows.map((row, index) => {
    const position = segment.position0 + index;
    monoMs += row.at;
    const record = { ...row, at: { boot: segment.boot, monoMs } };
    return { position, epoch, seq: position - base, record };
  });
}

function epochOf(epochs: readonly EpochRow[], position: number): EpochRow {
  const epoch = epochs.findLast((candidate) => candidate.base < position);
  if (!epoch) throw new Error(`no epoch for position ${position}`);
  return epoch;
}
