import type { Clock } from "../../core/clock.ts";
import { GatewayError, isGatewayError } from "../../core/errors.ts";
import type { Batch } from "../database/store-calls.ts";
import type { Faults } from "../faults.ts";
import type { Gap } from "../gaps.ts";
import { deadRow, type Journal } from "../journal/journal.ts";
import { cleanStopMark, nextEpoch } from "../journal/recover.ts";
import { CLEAN_STOP } from "../keys.ts";
import { LiveRanges, type Range } from "../live-ranges.ts";
import { segmentsOf } from "../segments.ts";
import type { DiskLink } from "./disk-link.ts";

/**
 * How often newest values, counters and what else may be a little old after a power cut go to the disk when nothing else
 * does. Each time is some ten pages and the file system's journal: every five minutes it was 10 MB a day of a healthy
 * gateway's 11, and the time is what there is to save at.
 */
export const SMALL_VALUES_MS = 1_800_000;
/** What is made ready for one commit in the main thread; a backlog after a full disk goes in several. */
const COMMIT_BYTES = 1024 * 1024;

export interface CommitParts {
  readonly journal: Journal;
  readonly faults: Faults;
  readonly clock: Clock;
  /** Highest position that the disk has seen to. */
  readonly durable: number;
  /** What the first commit has to bring beside the journal's own changes. */
  readonly owed: Batch;
  /** Those that the disk has. */
  readonly gaps: readonly Gap[];
  /** What a fresh database needs to know, beside what the journal keeps. */
  seed(): Batch;
}

/** What of a commit there is: `lean` brings no records, so that a full disk takes it. */
export type CommitKind = "due" | "lean" | "final";

/** Brings what memory holds to the disk. */
export class Commits {
  readonly #parts: CommitParts;
  readonly #link: DiskLink;
  #durable: number;
  #settledOnDisk = 0;
  #owed: Batch;
  #gapsOnDisk: ReadonlyMap<number, Gap>;
  #unreadable: Range[] = [];
  #newestWrittenMs: number;

  constructor(parts: CommitParts, link: DiskLink) {
    this.#parts = parts;
    this.#link = link;
    this.#durable = parts.durable;
    this.#owed = parts.owed;
    this.#gapsOnDisk = new Map(parts.gaps.map((gap) => [gap.id, gap]));
    this.#newestWrittenMs = parts.clock.monoMs();
  }

  /** Highest position that is in a segment or needs none. */
  get durable(): number {
    return this.#durable;
  }

  /** Nobody waits for anything up to here, and the disk knows it. */
  get settledOnDisk(): number {
    return this.#settledOnDisk;
  }

  /** Is there something that the disk must know soon, records apart? */
  get isOwing(): boolean {
    return Object.keys(this.#owed).length > 0;
  }

  get hasUnreadable(): boolean {
    return this.#unreadable.length > 0;
  }

  /** Rejects with what the disk said. Into the fresh database, if the one that it began with was damaged. */
  async commit(kind: CommitKind): Promise<void> {
    try {
      await this.#commit(kind);
    } catch (error) {
      if (!isGatewayError(error, "STORE_CORRUPT")) throw error;
      await this.#commit(kind);
    }
  }

  /** The next commit is the last: with the mark that lets the epoch go on. */
  markCleanStop(): void {
    const { journal } = this.#parts;
    if (journal.provisional) throw new GatewayError("STORE_IO", "the disk never took this run's epoch");
    journal.small.setMeta(CLEAN_STOP, cleanStopMark(journal.state.epoch, journal.state.head));
  }

  /** Takes records that cannot be read out of the way, counted; those that do not wait any more are none of these. */
  dropUnreadable(range: Range): void {
    const { journal, faults } = this.#parts;
    if (!journal.state.isWanted(range.from, range.to)) return;
    const message = `records at ${range.from} to ${range.to} are damaged`;
    faults.raise("segment", new GatewayError("STORE_CORRUPT", message));
    journal.drop(range.from, range.to, "corrupt");
    this.#unreadable.push(range);
  }

  /** An epoch that the disk did not take is certain to be new once the clock is right: no two starts have one second. */
  settleEpoch(): void {
    const { journal, clock } = this.#parts;
    if (!journal.provisional) return;
    if (this.#owed.epochs) {
      if (clock.syncState() !== "synced") return;
      const [current, last] = [journal.state.epochs.at(-1), journal.state.epochs.at(-2)];
      const { epoch } = nextEpoch(last, current?.base ?? 0, clock.wallMs());
      journal.renumber(epoch);
      this.#owed = { ...this.#owed, epochs: journal.state.epochs.slice(-1) };
    }
    journal.provisional = false;
  }

  /** A fresh database has the records at `ranges`: what is missing is counted, what memory knows goes there next. */
  replaced(ranges: readonly Range[]): void {
    const { journal, seed } = this.#parts;
    const { settled } = journal.state;
    const missing = LiveRanges.of(this.#durable > settled ? [{ from: settled + 1, to: this.#durable }] : []);
    const held = journal.held.between(settled + 1, this.#durable);
    for (const { from, to } of ranges) missing.remove(from, to);
    for (const { position } of held) missing.remove(position, position);
    for (const { from, to } of missing.toArray()) journal.drop(from, to, "corrupt");
    journal.small.soilAll();
    this.#owed = seed();
    this.#unreadable = [];
    this.#gapsOnDisk = new Map();
  }

  async #commit(kind: CommitKind): Promise<void> {
    const { journal, clock, faults } = this.#parts;
    const nowMs = clock.monoMs();
    const withNewest = kind === "final" || nowMs - this.#newestWrittenMs >= SMALL_VALUES_MS;
    const { destinations, gaps } = journal.state.snapshot();
    const { settled } = journal.state;
    const records = kind === "lean" ? [] : journal.held.oldestWithin(COMMIT_BYTES);
    const isAll = records.length === journal.held.size;
    const head = isAll ? journal.state.head : (records.at(-1)?.position ?? this.#durable);
    const [dead, changes, unreadable] = [journal.takeDead(), journal.small.takeChanges(withNewest), this.#unreadable];
    this.#unreadable = [];
    const outbox = {
      segments: segmentsOf(records, settled),
      head,
      destinations: destinations.map(({ live: _, ...one }) => one),
    };
    const owed = this.#owed;
    const batch = { ...owed, outbox, gaps: this.#gapChanges(gaps), dead: dead.map(deadRow), unreadable, ...changes };
    try {
      await this.#link.call("write", batch);
    } catch (error) {
      journal.putBackDead(dead);
      journal.small.putBack(changes);
      this.#unreadable = [...unreadable, ...this.#unreadable];
      throw error;
    }
    if (this.#owed === owed) this.#owed = {};
    this.#durable = Math.max(this.#durable, head);
    this.#settledOnDisk = settled;
    this.#gapsOnDisk = new Map(gaps.map((gap) => [gap.id, gap]));
    if (withNewest) this.#newestWrittenMs = nowMs;
    journal.held.removeUpTo(head);
    if (kind !== "lean") faults.clear("disk");
  }

  #gapChanges(gaps: readonly Gap[]): NonNullable<Batch["gaps"]> {
    const left = new Set(gaps.map(({ id }) => id));
    const gone = [...this.#gapsOnDisk.keys()].filter((id) => !left.has(id));
    const isOnDisk = ({ id, epoch, count }: Gap) => {
      const known = this.#gapsOnDisk.get(id);
      return known?.count === count && known.epoch === epoch;
    };
    const changed = gaps.filter((gap) => !isOnDisk(gap));
    return [...gone.map((id) => [id, undefined] as const), ...changed.map((gap) => [gap.id, gap] as const)];
  }
}
