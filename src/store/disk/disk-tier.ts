import { isGatewayError } from "../../core/errors.ts";
import type { Batch, ReadSegment, Usage } from "../database/store-calls.ts";
import type { StoreClient } from "../database/store-client.ts";
import type { Range } from "../live-ranges.ts";
import { type CommitParts, Commits, SMALL_VALUES_MS } from "./commits.ts";
import { DiskLink } from "./disk-link.ts";
import { Retention, type RetentionParts } from "./retention.ts";

/** With a window of 0 something is always due; the rest of the tick must have its turn. */
const COMMITS_A_TICK = 16;
/** How soon what was delivered leaves the disk: a power cut before that sends it again. */
const TRIM_MS = 300_000;
/** Others fill and empty the disk, too; a look costs nothing. */
const MEASURE_MS = 60_000;

export interface DiskParts extends CommitParts, RetentionParts {
  readonly client: StoreClient;
}

/** The second tier: what was not acknowledged within the commit window goes to SQLite, and what was acknowledged leaves it. */
export class DiskTier {
  readonly #parts: DiskParts;
  readonly #link: DiskLink;
  readonly #commits: Commits;
  readonly #retention: Retention;
  readonly #tickMs: number;
  #kicked = false;
  #housekeptMs: number;
  #measuredMs: number;

  constructor(parts: DiskParts) {
    const { client, faults, clock, journal, options } = parts;
    this.#parts = parts;
    this.#link = new DiskLink({
      client,
      faults,
      clock,
      settled: () => journal.state.settled,
      replaced: (ranges) => this.#commits.replaced(ranges),
    });
    this.#commits = new Commits(parts, this.#link);
    this.#retention = new Retention(parts, this.#link, this.#commits);
    // A window of 0 is kept by `kick`; the loop only tries again what failed.
    const { commitWindowMs } = options;
    this.#tickMs = commitWindowMs === 0 ? 1000 : Math.min(1000, Math.max(50, commitWindowMs / 5));
    this.#housekeptMs = clock.monoMs();
    this.#measuredMs = clock.monoMs();
  }

  /** Highest position that is in a segment or needs none. */
  get durable(): number {
    return this.#commits.durable;
  }

  get usage(): Usage {
    return this.#retention.usage;
  }

  /** Runs until the signal; what fails is a fault and tried again, what is a bug rejects. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.#parts;
    while (!signal.aborted) {
      await clock.sleep(this.#tickMs, signal).catch(() => {});
      if (!signal.aborted) await this.#tick();
    }
  }

  /** Learns how full the disk is, as far as it says. */
  measure(): Promise<void> {
    return tolerate(() => this.#retention.measure());
  }

  /** Writes what is held (of a backlog, the oldest part) to the disk, after the commit that is under way. Rejects with what the disk said. */
  async commit(final = false): Promise<void> {
    await this.#link.serially(() => this.#commits.commit(final ? "final" : "due"));
    await this.#retention.measure();
  }

  /** Begins a commit at once, for a commit window of 0; those that come meanwhile share the next one. */
  kick(): void {
    if (this.#kicked || this.#link.isResting) return;
    this.#kicked = true;
    void tolerate(async () => {
      await this.#link.serially(() => {
        this.#kicked = false;
        return this.#commits.commit("due");
      });
      await this.#retention.measure();
      if (this.#parts.journal.held.size > 0) this.kick();
    });
  }

  /** Some rows of their own, durable when it resolves; `written` runs before the next commit is made up. */
  write(batch: Batch, written?: () => void): Promise<void> {
    return this.#link.serially(async () => {
      await this.#link.call("write", batch);
      written?.();
    });
  }

  dropUnreadable(range: Range): void {
    this.#commits.dropUnreadable(range);
  }

  /** Reads from the disk; a database that turns out to be damaged is replaced, and what was in it counted. */
  read(position: number, records: number): Promise<ReadSegment[]> {
    return this.#link.read([], "read", position, records);
  }

  /** The last commit of a clean stop, with the mark that lets the epoch go on. Rejects when the disk does not take it. */
  async finish(): Promise<void> {
    const { journal, client } = this.#parts;
    this.#commits.markCleanStop();
    do await this.#commitMakingRoom(true);
    while (journal.held.size > 0);
    await client.call("trim", this.#commits.settledOnDisk);
  }

  async #tick(): Promise<void> {
    const { journal, faults, clock } = this.#parts;
    journal.compactStagingIfDue();
    if (journal.staging.failure) faults.raise("staging", journal.staging.failure);
    else faults.clear("staging");
    // Never while a commit is under way: what that writes has the number that was.
    if (journal.provisional) await this.#link.serially(async () => this.#commits.settleEpoch());
    if (this.#link.isResting) return;
    await tolerate(async () => {
      for (let n = 0; n < COMMITS_A_TICK && this.#isCommitDue(); n++) await this.#commitMakingRoom();
      if (this.#isHousekeepingDue()) await this.#keepHouse();
      if (clock.monoMs() - this.#measuredMs >= MEASURE_MS) await this.#measure();
      await this.#retention.keepLimit();
    });
  }

  async #measure(): Promise<void> {
    await this.#retention.measure();
    this.#measuredMs = this.#parts.clock.monoMs();
  }

  async #commitMakingRoom(final = false): Promise<void> {
    try {
      await this.commit(final);
    } catch (error) {
      if (!isGatewayError(error, "STORE_FULL")) throw error;
      await this.#retention.makeRoom();
      await this.commit(final);
    }
  }

  #isCommitDue(): boolean {
    const { journal, options, clock, faults } = this.#parts;
    if (this.#commits.isOwing || journal.small.anchorDue || faults.has("disk")) return true;
    const { oldest, bytes } = journal.held;
    const nowMs = clock.monoMs();
    const isTooOld = (sinceMs = Number.POSITIVE_INFINITY) => nowMs - sinceMs >= options.commitWindowMs - this.#tickMs;
    if (isTooOld(journal.small.urgentSinceMs)) return true;
    if (!oldest) return false;
    const urgent = journal.staging.failure !== undefined || bytes > journal.maxHeldBytes / 4;
    return urgent || isTooOld(oldest.acceptedMonoMs);
  }

  #isHousekeepingDue(): boolean {
    const { journal, clock, options } = this.#parts;
    if (this.#retention.isTrimmable && journal.full) return true;
    const sinceMs = clock.monoMs() - this.#housekeptMs;
    if (sinceMs < TRIM_MS) return false;
    const mayAge = options.maxAgeMs !== undefined && journal.state.settled < this.durable;
    if (mayAge || this.#retention.isTrimmable || journal.hasDead || this.#commits.hasUnreadable) return true;
    return sinceMs >= SMALL_VALUES_MS && journal.small.dirty;
  }

  async #keepHouse(): Promise<void> {
    await this.commit();
    await this.#retention.trim();
    await this.#retention.dropAged();
    this.#housekeptMs = this.#parts.clock.monoMs();
  }
}

/** Faults are known by now and tried again at a later tick; the rest are bugs. */
async function tolerate(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!isGatewayError(error)) throw error;
  }
}
