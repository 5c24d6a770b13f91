import type { Clock } from "../../core/clock.ts";
import { GatewayError } from "../../core/errors.ts";
import type { Stretch, Usage } from "../database/store-calls.ts";
import type { Faults } from "../faults.ts";
import type { Journal } from "../journal/journal.ts";
import type { StoreOptions } from "../options.ts";
import { expiredBoots } from "./age.ts";
import type { Commits } from "./commits.ts";
import type { DiskLink } from "./disk-link.ts";
import { spaceOf } from "./space.ts";

export interface RetentionParts {
  readonly journal: Journal;
  readonly faults: Faults;
  readonly clock: Clock;
  readonly options: StoreOptions;
}

const UNKNOWN = Number.POSITIVE_INFINITY;

/** What leaves the disk: what everybody has, what is too old, and, when the room ends, what the policy says. */
export class Retention {
  readonly #parts: RetentionParts;
  readonly #link: DiskLink;
  readonly #commits: Commits;
  #usage: Usage = { bytes: 0, fileBytes: 0, freeBytes: UNKNOWN, totalBytes: UNKNOWN };
  #trimmed = 0;

  constructor(parts: RetentionParts, link: DiskLink, commits: Commits) {
    this.#parts = parts;
    this.#link = link;
    this.#commits = commits;
  }

  get usage(): Usage {
    return this.#usage;
  }

  /** Is there something on the disk that nobody waits for any more? */
  get isTrimmable(): boolean {
    return Math.min(this.#parts.journal.state.settled, this.#commits.durable) > this.#trimmed;
  }

  /** Learns how full the disk is. */
  async measure(): Promise<void> {
    const { journal, options, faults } = this.#parts;
    this.#usage = await this.#link.call("usage", journal.state.settled);
    const { limitBytes, reason, isShort } = spaceOf(this.#usage, options);
    journal.full = this.#usage.bytes >= limitBytes ? reason : undefined;
    if (!isShort) return faults.clear("space");
    const freeMib = Math.floor(this.#usage.freeBytes / 2 ** 20);
    const message = `only ${freeMib} MiB are free on the disk of ${options.path}: the store does not grow`;
    faults.raise("space", new GatewayError("STORE_FULL", message));
  }

  /** Only what a commit has counted as delivered may go: after a power cut it would be missing in the sum. */
  async trim(position = this.#commits.settledOnDisk): Promise<void> {
    await this.#link.call("trim", position);
    this.#trimmed = Math.max(this.#trimmed, Math.min(position, this.#commits.durable));
    await this.measure();
  }

  async keepLimit(): Promise<void> {
    const { options } = this.#parts;
    const { limitBytes, targetBytes, reason } = spaceOf(this.#usage, options);
    if (this.#usage.bytes <= limitBytes || options.whenFull === "refuse_newest" || this.isTrimmable) return;
    await this.#drop(await this.#link.call("oldest", Math.ceil(this.#usage.bytes - targetBytes)), reason);
  }

  async dropAged(): Promise<void> {
    const { options, journal, clock } = this.#parts;
    const { maxAgeMs } = options;
    if (maxAgeMs === undefined) return;
    const [boot, monoMs] = [clock.bootId(), clock.monoMs()];
    const boots = expiredBoots(journal.small.boots, { boot, monoMs }, maxAgeMs);
    await this.#drop(await this.#link.call("aged", boot, monoMs - maxAgeMs, boots), "aged");
  }

  /** On a full disk: what is delivered goes first; what is not, only once memory is half full of what is newer. */
  async makeRoom(): Promise<void> {
    const { journal, options } = this.#parts;
    await this.#link.serially(() => this.#commits.commit("lean"));
    await this.trim();
    if (journal.held.bytes < journal.maxHeldBytes / 2 || options.whenFull === "refuse_newest") return;
    await this.#drop(await this.#link.call("oldest", journal.held.bytes), "disk_full");
  }

  async #drop(stretch: Stretch | undefined, reason: string): Promise<void> {
    const { journal } = this.#parts;
    if (!stretch || stretch.end <= journal.state.settled) return;
    journal.drop(1, stretch.end, reason, stretch);
    await this.#link.serially(() => this.#commits.commit("lean"));
    await this.trim(stretch.end);
  }
}
