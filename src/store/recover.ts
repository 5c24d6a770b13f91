import type { StoredRecord } from "../core/reading.ts";
import { LiveRanges } from "./live-ranges.ts";
import { type OutboxEvent, type OutboxSnapshot, OutboxState } from "./outbox-state.ts";
import type { EpochRow } from "./segments.ts";
import type { Staged } from "./staging.ts";
import type { Loaded } from "./store-calls.ts";

/** Key in `meta`: `<epoch> <head>` of a clean stop, gone while the store is open. */
export const CLEAN_STOP = "store.clean";
export const INSTANCE = "store.instance";

export interface Now {
  readonly boot: string;
  readonly wallMs: number;
}

export interface Recovered {
  readonly state: OutboxState;
  /** Staged and not on the disk. */
  readonly held: readonly StoredRecord[];
  /** Set aside and not yet recorded on the disk. */
  readonly setAside: ReadonlyArray<OutboxEvent & { readonly kind: "setAside" }>;
  readonly newEpoch: boolean;
  readonly from: "staging" | "disk";
  /** Counted but found nowhere. */
  readonly lost: number;
}

/**
 * How the outbox stood: as the staging file says if it is whole and of this life of the machine, else as the disk says.
 * Without either having the last position for certain, a new epoch begins, so no (epoch, seq) comes twice.
 */
export function recover(disk: Loaded, staged: Staged | undefined, now: Now): Recovered {
  return staged && isCurrent(disk, staged, now) ? fromStaging(disk, staged) : fromDisk(disk, now);
}

/** Another boot's, another installation's, or an older one that a run with another staging path has overtaken. */
function isCurrent(disk: Loaded, { header, events }: Staged, now: Now): boolean {
  if (header.boot !== now.boot) return false;
  const head = events.findLast((event) => event.kind === "take")?.position ?? header.head;
  if (head < disk.head) return false;
  const lastEpoch = disk.epochs.at(-1);
  if (!lastEpoch) return true;
  const instance = new Map(disk.meta).get(INSTANCE);
  return instance === header.instance && lastEpoch.epoch === header.epoch && lastEpoch.base === header.base;
}

function fromStaging(disk: Loaded, staged: Staged): Recovered {
  const state = new OutboxState(staged.header);
  const outboxEvents = staged.events.filter(isOutboxEvent);
  for (const event of outboxEvents) state.apply(event);

  const seen = [...staged.rest, ...outboxEvents];
  const held = seen.flatMap((event) =>
    event.kind === "take" && event.position > disk.head && state.live.has(event.position)
      ? [storedOf(event, state)]
      : [],
  );
  const there = LiveRanges.of(disk.ranges);
  for (const { position } of held) if (!there.has(position)) there.push(position);
  const lost = forget(state, there, disk.epochs.length > 0 ? "lost" : "corrupt");
  const setAside = seen.filter((event) => event.kind === "setAside");
  return { state, held, setAside, newEpoch: false, from: "staging", lost };
}

function isOutboxEvent(event: Staged["events"][number]): event is OutboxEvent {
  return event.kind !== "meta" && event.kind !== "boot" && event.kind !== "forget";
}

function storedOf({ position, record }: OutboxEvent & { kind: "take" }, { epoch, base }: OutboxState): StoredRecord {
  return { position, epoch, seq: position - base, record };
}

/** Drops what is counted as waiting and is nowhere; returns how many that are. */
function forget(state: OutboxState, there: LiveRanges, reason: string): number {
  const before = state.live.total;
  const found = state.live.intersect(there);
  for (const { from, to } of gapsOf(found, state.head)) state.apply({ kind: "drop", from, to, reason });
  return before - state.live.total;
}

function gapsOf(found: LiveRanges, head: number): Array<{ from: number; to: number }> {
  const gaps: Array<{ from: number; to: number }> = [];
  let from = 1;
  for (const range of found.toArray()) {
    if (range.from > from) gaps.push({ from, to: range.from - 1 });
    from = range.to + 1;
  }
  if (from <= head) gaps.push({ from, to: head });
  return gaps;
}

function fromDisk(disk: Loaded, now: Now): Recovered {
  const live = liveOnDisk(disk);
  const highest = Math.max(disk.head, disk.cursor, disk.ranges.at(-1)?.to ?? 0);
  const clean = cleanStop(disk);
  const { epoch, base } = clean ?? nextEpoch(disk.epochs.at(-1), highest, now.wallMs);
  const { counters, lost } = balanced(disk.counters, live.total);
  const snapshot: OutboxSnapshot = {
    epoch,
    base,
    head: highest,
    cursor: disk.cursor,
    counters,
    live: [...live.toArray()],
  };
  return { state: new OutboxState(snapshot), held: [], setAside: [], newEpoch: !clean, from: "disk", lost };
}

/** Which positions wait, as far as the disk knows. */
export function liveOnDisk({ ranges, cursor, dead }: Loaded): LiveRanges {
  const live = LiveRanges.of(ranges);
  live.remove(0, cursor);
  for (const position of dead) live.remove(position, position);
  return live;
}

function cleanStop(disk: Loaded): EpochRow | undefined {
  const last = disk.epochs.at(-1);
  const mark = new Map(disk.meta).get(CLEAN_STOP);
  return last && mark === cleanStopMark(last.epoch, disk.head) ? last : undefined;
}

export function cleanStopMark(epoch: number, head: number): string {
  return `${epoch} ${head}`;
}

/** The wall clock keeps epochs apart even when a wiped card comes back under the same gateway id. */
export function nextEpoch(last: EpochRow | undefined, base: number, wallMs: number): { epoch: number; base: number } {
  return { epoch: Math.max((last?.epoch ?? 0) + 1, Math.floor(wallMs / 1000)), base };
}

/** A power cut takes what was counted in the last commit and not yet written with it. */
function balanced(counters: Loaded["counters"], pending: number): { counters: Loaded["counters"]; lost: number } {
  const dropped = Object.values(counters.dropped).reduce((sum, count) => sum + count, 0);
  const lost = counters.sampled - counters.delivered - dropped - pending;
  if (lost <= 0) return { counters: { ...counters, sampled: counters.sampled - lost }, lost: 0 };
  const counted = { ...counters.dropped, power_cut: (counters.dropped.power_cut ?? 0) + lost };
  return { counters: { ...counters, dropped: counted }, lost };
}
