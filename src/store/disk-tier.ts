import type { Clock } from "../core/clock.ts";
import { GatewayError, isGatewayError } from "../core/errors.ts";
import { expiredBoots } from "./age.ts";
import type { Faults } from "./faults.ts";
import type { Gap } from "./gaps.ts";
import { deadRow, type Journal } from "./journal.ts";
import type { Range } from "./live-ranges.ts";
import type { StoreOptions } from "./options.ts";
import { CLEAN_STOP, cleanStopMark } from "./recover.ts";
import { segmentsOf } from "./segments.ts";
import type { Batch, Stretch, Usage } from "./store-calls.ts";
import type { StoreClient } from "./store-client.ts";

/** How often cursor, counters, small values and deletes go to the disk when nothing else does. */
const HOUSEKEEPING_MS = 300_000;
const RETRY_MS = 5_000;
/** What is made ready for one commit in the main thread; a backlog after a full disk goes in several. */
const COMMIT_BYTES = 1024 * 1024;
/** With a window of 0 something is always due; the rest of the tick must have its turn. */
const COMMITS_A_TICK = 16;
/** Room made beyond what is needed, so that not every commit drops something. */
const DROP_SHARE = 0.02;

export interface DiskParts {
  readonly journal: Journal;
  readonly client: StoreClient;
  readonly faults: Faults;
  readonly options: StoreOptions;
  readonly clock: Clock;
  /** Highest position that the disk has seen to. */
  readonly durable: number;
  /** Those that the disk has. */
  readonly gaps: readonly Gap[];
  /** What the first commit has to bring beside the journal's own changes. */
  readonly owed: Batch;
  /** What a fresh database needs to know, beside what the journal keeps. */
  seed(): Batch;
}

/** The second tier: what was not acknowledged within the commit window goes to SQLite, and what was acknowledged leaves it. */
export class DiskTier {
  readonly #parts: DiskParts;
  readonly #tickMs: number;
  #usage: Usage = { bytes: 0 };
  #durable: number;
  /** Counts the databases, so that two calls that met the same damage replace it once. */
  #generation = 0;
  /** Nobody waits for anything up to here, and the disk knows it. */
  #committedTo = 0;
  #trimmed = 0;
  #owed: Batch;
  #gapsOnDisk: ReadonlyMap<number, Gap>;
  #unreadable: Range[] = [];
  #tail: Promise<unknown> = Promise.resolve();
  #kicked = false;
  #retryAtMs = Number.NEGATIVE_INFINITY;
  #housekeptMs: number;
  #newestWrittenMs: number;

  constructor(parts: DiskParts) {
    this.#parts = parts;
    this.#durable = parts.durable;
    this.#owed = parts.owed;
    this.#gapsOnDisk = new Map(parts.gaps.map((gap) => [gap.id, gap]));
    // A window of 0 is kept by `kick`; the loop only tries again what failed.
    const { commitWindowMs } = parts.options;
    this.#tickMs = commitWindowMs === 0 ? 1000 : Math.min(1000, Math.max(50, commitWindowMs / 5));
    this.#housekeptMs = parts.clock.monoMs();
    this.#newestWrittenMs = parts.clock.monoMs();
  }

  /** Highest position that is in a segment or needs none. */
  get durable(): number {
    return this.#durable;
  }

  get usage(): Usage {
    return this.#usage;
  }

  /** Runs until the signal; what fails is a fault and tried again, what is a bug rejects. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.#parts;
    while (!signal.aborted) {
      await clock.sleep(this.#tickMs, signal).catch(() => {});
      if (!signal.aborted) await this.#tick();
    }
  }

  /** Learns how full the disk is; each commit does. */
  measure(): Promise<void> {
    return this.#refreshUsage();
  }

  /** Writes what is held (of a backlog, the oldest part) to the disk, after the commit that is under way. Rejects with what the disk said. */
  commit(final = false): Promise<void> {
    return this.#afterTheOthers(() => this.#commit(final));
  }

  /** Begins a commit at once, for a commit window of 0; those that come meanwhile share the next one. */
  kick(): void {
    if (this.#kicked || this.#parts.clock.monoMs() < this.#retryAtMs) return;
    this.#kicked = true;
    void this.#tolerate(async () => {
      await this.#afterTheOthers(() => {
        this.#kicked = false;
        return this.#commit(false);
      });
      if (this.#parts.journal.held.size > 0) this.kick();
    });
  }

  /** Some rows of their own, durable when it resolves. */
  write(batch: Batch): Promise<void> {
    return this.#afterTheOthers(() => this.#write(batch));
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

  /** The last commit of a clean stop, with the mark that lets the epoch go on. Rejects when the disk does not take it. */
  async finish(): Promise<void> {
    const { journal, client } = this.#parts;
    journal.small.setMeta(CLEAN_STOP, cleanStopMark(journal.state.epoch, journal.state.head));
    do await this.commit(true);
    while (journal.held.size > 0);
    await client.call("trim", this.#committedTo);
  }

  /** Reads from the disk; a database that turns out to be damaged is replaced, and what was in it counted. */
  async read<T>(work: (client: StoreClient) => Promise<T>, otherwise: T): Promise<T> {
    const generation = this.#generation;
    try {
      return await work(this.#parts.client);
    } catch (error) {
      if (!isGatewayError(error, "STORE_CORRUPT")) throw error;
      await this.#afterTheOthers(() => this.#replace(error, generation));
      return otherwise;
    }
  }

  async #tick(): Promise<void> {
    const { journal, clock, faults } = this.#parts;
    journal.compactStagingIfDue();
    if (journal.staging.failure) faults.raise("staging", journal.staging.failure);
    else faults.clear("staging");
    if (clock.monoMs() < this.#retryAtMs) return;
    await this.#tolerate(async () => {
      for (let n = 0; n < COMMITS_A_TICK && this.#commitDue(); n++) await this.commit();
      if (this.#housekeepingDue()) await this.#keepHouse();
      await this.#keepLimit();
    });
  }

  #commitDue(): boolean {
    const { journal, options, clock } = this.#parts;
    if (Object.keys(this.#owed).length > 0) return true;
    const { oldest, bytes } = journal.held;
    if (!oldest) return false;
    const ageMs = clock.monoMs() - oldest.acceptedMonoMs;
    const urgent = journal.staging.failure !== undefined || bytes > journal.maxHeldBytes / 4;
    return urgent || ageMs >= options.commitWindowMs - this.#tickMs;
  }

  #housekeepingDue(): boolean {
    const { journal, clock } = this.#parts;
    if (this.#trimmable() && journal.diskFull) return true;
    if (clock.monoMs() - this.#housekeptMs < HOUSEKEEPING_MS) return false;
    return this.#trimmable() || journal.small.dirty || journal.hasDead || this.#unreadable.length > 0;
  }

  async #keepHouse(): Promise<void> {
    await this.commit();
    await this.#trim(this.#committedTo);
    await this.#dropAged();
    this.#housekeptMs = this.#parts.clock.monoMs();
  }

  #trimmable(): boolean {
    return Math.min(this.#parts.journal.state.settled, this.#durable) > this.#trimmed;
  }

  /** Only what a commit has counted as delivered may go: after a power cut it would be missing in the sum. */
  async #trim(position: number): Promise<void> {
    await this.#faultAware(() => this.#parts.client.call("trim", position));
    this.#trimmed = Math.max(this.#trimmed, Math.min(position, this.#durable));
    await this.#refreshUsage();
  }

  async #keepLimit(): Promise<void> {
    const { client, options, journal } = this.#parts;
    if (this.#usage.bytes <= options.maxBytes || options.whenFull === "refuse_newest" || this.#trimmable()) return;
    const excess = this.#usage.bytes - options.maxBytes * (1 - DROP_SHARE);
    const oldest = await this.#faultAware(() => client.call("oldest", Math.ceil(excess)));
    if (oldest && oldest.end > journal.state.settled) await this.#drop(oldest, "full");
  }

  async #dropAged(): Promise<void> {
    const { client, options, journal, clock } = this.#parts;
    const { maxAgeMs } = options;
    if (maxAgeMs === undefined) return;
    const [boot, monoMs] = [clock.bootId(), clock.monoMs()];
    const boots = expiredBoots(journal.small.boots, { boot, monoMs }, maxAgeMs);
    const aged = await this.#faultAware(() => client.call("aged", boot, monoMs - maxAgeMs, boots));
    if (aged && aged.end > journal.state.settled) await this.#drop(aged, "aged");
  }

  async #drop(stretch: Stretch, reason: string): Promise<void> {
    this.#parts.journal.drop(1, stretch.end, reason, stretch);
    await this.commit();
    await this.#trim(stretch.end);
  }

  /** Once more into the fresh database, if the one that it began with was damaged. */
  async #commit(final: boolean): Promise<void> {
    try {
      await this.#commitOnce(final);
    } catch (error) {
      if (!isGatewayError(error, "STORE_CORRUPT")) throw error;
      await this.#commitOnce(final);
    }
  }

  async #commitOnce(final: boolean): Promise<void> {
    const { journal, clock } = this.#parts;
    const nowMs = clock.monoMs();
    const withNewest = final || nowMs - this.#newestWrittenMs >= HOUSEKEEPING_MS;
    const { destinations, gaps } = journal.state.snapshot();
    const records = journal.held.oldestWithin(COMMIT_BYTES);
    const isAll = records.length === journal.held.size;
    const head = isAll ? journal.state.head : (records.at(-1)?.position ?? this.#durable);
    const [dead, changes, unreadable] = [journal.takeDead(), journal.small.takeChanges(withNewest), this.#unreadable];
    this.#unreadable = [];
    const outbox = {
      segments: segmentsOf(records),
      head,
      destinations: destinations.map(({ live: _, ...one }) => one),
    };
    const owed = this.#owed;
    const { settled } = journal.state;
    const batch = { ...owed, outbox, gaps: this.#gapChanges(gaps), dead: dead.map(deadRow), unreadable, ...changes };
    try {
      await this.#write(batch);
    } catch (error) {
      journal.putBackDead(dead);
      journal.small.putBack(changes);
      this.#unreadable = [...unreadable, ...this.#unreadable];
      throw error;
    }
    if (this.#owed === owed) this.#owed = {};
    this.#durable = Math.max(this.#durable, head);
    this.#committedTo = settled;
    this.#gapsOnDisk = new Map(gaps.map((gap) => [gap.id, gap]));
    if (withNewest) this.#newestWrittenMs = nowMs;
    journal.held.removeUpTo(head);
    await this.#refreshUsage();
  }

  #gapChanges(gaps: readonly Gap[]): NonNullable<Batch["gaps"]> {
    const left = new Set(gaps.map(({ id }) => id));
    const gone = [...this.#gapsOnDisk.keys()].filter((id) => !left.has(id));
    const changed = gaps.filter((gap) => this.#gapsOnDisk.get(gap.id)?.count !== gap.count);
    return [...gone.map((id) => [id, undefined] as const), ...changed.map((gap) => [gap.id, gap] as const)];
  }

  async #refreshUsage(): Promise<void> {
    const { client, journal, options } = this.#parts;
    this.#usage = await this.#faultAware(() => client.call("usage", journal.state.settled));
    journal.diskFull = this.#usage.bytes >= options.maxBytes;
  }

  async #write(batch: Batch): Promise<void> {
    await this.#faultAware(() => this.#parts.client.call("write", batch));
    this.#parts.faults.clear("disk");
  }

  /** Turns what the disk says into a fault. */
  async #faultAware<T>(work: () => Promise<T>): Promise<T> {
    const { faults, clock } = this.#parts;
    const generation = this.#generation;
    try {
      return await work();
    } catch (error) {
      if (isGatewayError(error, "STORE_CORRUPT")) await this.#replace(error, generation);
      else if (isGatewayError(error)) {
        faults.raise("disk", error);
        this.#retryAtMs = clock.monoMs() + RETRY_MS;
      }
      throw error;
    }
  }

  /** A fresh database in the place of a damaged one; the next commit fills it with all that memory knows. */
  async #replace(error: GatewayError, generation: number): Promise<void> {
    const { client, clock, journal, faults, seed } = this.#parts;
    if (this.#generation !== generation) return;
    this.#generation += 1;
    const aside = await client.call("quarantine", clock.wallMs());
    faults.raise("database", new GatewayError("STORE_CORRUPT", `${error.message}; moved to ${aside}`));
    journal.drop(1, this.#durable, "corrupt");
    journal.small.soilAll();
    this.#owed = seed();
    this.#unreadable = [];
    this.#gapsOnDisk = new Map();
    this.#retryAtMs = Number.NEGATIVE_INFINITY;
  }

  /** Faults are known by now and tried again at a later tick; the rest are bugs. */
  async #tolerate(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!isGatewayError(error)) throw error;
    }
  }

  #afterTheOthers<T>(work: () => Promise<T>): Promise<T> {
    const run = this.#tail.then(work, work);
    this.#tail = run.catch(() => {});
    return run;
  }
}
