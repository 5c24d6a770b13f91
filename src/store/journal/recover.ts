import type { Counters } from "../../core/gateway.ts";
import type { StoredRecord } from "../../core/reading.ts";
import type { DiskDestination, Loaded } from "../database/store-calls.ts";
import { DESTINATION, type DestinationSnapshot } from "../destination.ts";
import { GapList, type NewGap } from "../gaps.ts";
import { CLEAN_STOP, INSTANCE } from "../keys.ts";
import { LiveRanges } from "../live-ranges.ts";
import type { EpochRow } from "../segments.ts";
import { type OutboxEvent, OutboxState } from "./outbox-state.ts";
import type { Staged } from "./staging.ts";

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
  const instance = new Map(disk.meta).get(INSTANCE);
  if (instance !== undefined && instance !== header.instance) return false;
  // The disk may not have taken the newest epoch yet.
  const last = disk.epochs.at(-1);
  return !last || header.epochs.some(({ epoch, base }) => epoch === last.epoch && base === last.base);
}

function fromStaging(disk: Loaded, staged: Staged): Recovered {
  const state = new OutboxState(staged.header);
  const outboxEvents = staged.events.filter(isOutboxEvent);
  for (const event of outboxEvents) state.apply(event);

  const seen = [...staged.rest, ...outboxEvents];
  const onDisk = LiveRanges.of(disk.ranges);
  const held = seen.flatMap((event) =>
    event.kind === "take" && !onDisk.has(event.position) && state.isWanted(event.position)
      ? [storedOf(event, state)]
      : [],
  );
  const there = LiveRanges.of([...disk.ranges, ...held.map(({ position }) => ({ from: position, to: position }))]);
  const lost = forget(state, there, disk.quarantined ? "corrupt" : "lost");
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
  const missing = LiveRanges.of(state.head > 0 ? [{ from: 1, to: state.head }] : []);
  for (const { from, to } of there.toArray()) missing.remove(from, to);
  const before = state.counters(DESTINATION).pending;
  for (const { from, to } of missing.toArray()) state.apply({ kind: "drop", from, to, reason });
  return before - state.counters(DESTINATION).pending;
}

function fromDisk(disk: Loaded, now: Now): Recovered {
  const highest = highestOnDisk(disk);
  const last = disk.epochs.at(-1);
  const isClean = last !== undefined && cleanStopOf(disk) === cleanStopMark(last.epoch, disk.head);
  const epochs = isClean ? disk.epochs : [...disk.epochs, { ...nextEpoch(last, highest, now.wallMs), boot: now.boot }];
  const reason = disk.quarantined ? "corrupt" : "power_cut";
  const balanced = destinationsOf(disk).map((destination) => balance(destination, liveOf(disk, destination), reason));
  const lost = Math.max(...balanced.map((destination) => destination.lost));
  const gap: NewGap[] =
    isClean || !last ? [] : [{ epoch: last.epoch, from: disk.head - last.base + 1, count: lost, reason }];
  const gaps = new GapList(disk.gaps);
  for (const one of gap) gaps.add(one);
  const destinations = balanced.map(({ destination }) => destination);
  const state = new OutboxState({ epochs, head: highest, destinations, gaps: gaps.toArray() });
  return { state, held: [], setAside: [], newEpoch: !isClean, from: "disk", lost };
}

function highestOnDisk(disk: Loaded): number {
  return Math.max(disk.head, disk.ranges.at(-1)?.to ?? 0, ...disk.destinations.map(({ cursor }) => cursor));
}

/** The broker first, which a fresh database does not know either. */
function destinationsOf({ destinations }: Loaded): readonly [DiskDestination, ...DiskDestination[]] {
  const none = { sampled: 0, delivered: 0, unheard: 0, dropped: {} };
  const broker = destinations.find(({ name }) => name === DESTINATION);
  return [
    broker ?? { name: DESTINATION, cursor: 0, counters: none, dead: [] },
    ...destinations.filter(({ name }) => name !== DESTINATION),
  ];
}

/** What waits for the broker, and the counters, as far as the disk knows. */
export function brokerOnDisk(disk: Loaded): { live: LiveRanges; counters: Counters } {
  const [broker] = destinationsOf(disk);
  const live = liveOf(disk, broker);
  return { live, counters: { ...broker.counters, pending: live.total } };
}

function liveOf({ ranges }: Loaded, { cursor, dead }: DiskDestination): LiveRanges {
  const live = LiveRanges.of(ranges);
  live.remove(0, cursor);
  for (const position of dead) live.remove(position, position);
  return live;
}

function cleanStopOf(disk: Loaded): string | undefined {
  return new Map(disk.meta).get(CLEAN_STOP);
}

export function cleanStopMark(epoch: number, head: number): string {
  return `${epoch} ${head}`;
}

/** The wall clock keeps epochs apart even when a wiped card comes back under the same gateway id. */
export function nextEpoch(last: EpochRow | undefined, base: number, wallMs: number): { epoch: number; base: number } {
  return { epoch: Math.max((last?.epoch ?? 0) + 1, Math.floor(wallMs / 1000)), base };
}

/** What was counted in the last commit and is not there. */
function balance(
  { name, cursor, counters }: DiskDestination,
  live: LiveRanges,
  reason: string,
): { destination: DestinationSnapshot; lost: number } {
  const dropped = Object.values(counters.dropped).reduce((sum, count) => sum + count, 0);
  const lost = counters.sampled - counters.delivered - dropped - live.total;
  const balanced =
    lost <= 0
      ? { ...counters, sampled: counters.sampled - lost }
      : { ...counters, dropped: { ...counters.dropped, [reason]: (counters.dropped[reason] ?? 0) + lost } };
  return { destination: { name, cursor, counters: balanced, live: live.toArray() }, lost: Math.max(0, lost) };
}
