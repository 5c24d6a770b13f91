import { randomUUID } from "node:crypto";
import { join } from "node:path";
import type { Clock } from "../core/clock.ts";
import { GatewayError, isGatewayError } from "../core/errors.ts";
import type { Log } from "../core/log.ts";
import type { Batch, Loaded } from "./database/store-calls.ts";
import { type StartWorker, StoreClient } from "./database/store-client.ts";
import { DESTINATION } from "./destination.ts";
import { DiskTier } from "./disk/disk-tier.ts";
import { SegmentReader } from "./disk/segment-reader.ts";
import { DurableStore } from "./durable-store.ts";
import { Faults } from "./faults.ts";
import type { Gap } from "./gaps.ts";
import { Journal } from "./journal/journal.ts";
import { JournalOutbox } from "./journal/journal-outbox.ts";
import { OutboxState } from "./journal/outbox-state.ts";
import { nextEpoch, type Recovered, recover } from "./journal/recover.ts";
import { SmallState } from "./journal/small-state.ts";
import { readStaging, type Staged, Staging } from "./journal/staging.ts";
import { CLEAN_STOP, INSTANCE, ledgerKey } from "./keys.ts";
import type { StoreOptions } from "./options.ts";
import type { Store } from "./store.ts";

export interface StoreDeps {
  readonly clock: Clock;
  readonly log: Log;
  /** Another place for SQLite than a thread of its own. */
  readonly startWorker?: StartWorker;
}

/**
 * Opens the store and takes up what the last run left.
 *
 * Throws STORE_LOCKED while another process holds it, STORE_NEWER, STORE_IO where it cannot be read. A damaged database
 * is moved aside and is a fault, not an error.
 */
export async function openStore(options: StoreOptions, deps: StoreDeps): Promise<Store> {
  const client = new StoreClient(
    { directory: options.path, maxBytes: options.maxBytes, scratch: options.stagingPath },
    deps.clock,
    deps.startWorker,
  );
  try {
    return await assemble(options, deps, client, await client.open());
  } catch (error) {
    await client.close();
    throw error;
  }
}

async function assemble(options: StoreOptions, deps: StoreDeps, client: StoreClient, loaded: Loaded): Promise<Store> {
  const { clock, log } = deps;
  const faults = new Faults(log);
  if (loaded.quarantined) {
    const { aside, salvaged } = loaded.quarantined;
    const message = `the database was damaged and moved to ${aside}, ${salvaged} records salvaged`;
    faults.raise("database", new GatewayError("STORE_CORRUPT", message));
  }
  if (loaded.unwritable !== undefined) faults.raise("disk", new GatewayError("STORE_IO", loaded.unwritable));
  const stagingFile = join(options.stagingPath, "staging.log");
  const staged = readStaging(stagingFile);
  const recovered = recover(loaded, staged, { boot: clock.bootId(), wallMs: clock.wallMs() });
  const small = smallStateOf(loaded, recovered.from === "staging" ? staged : undefined, clock);
  const { state, owed, gaps, provisional } = await claim(client, loaded, recovered, small, deps, faults);
  const journal = new Journal({ ...recovered, state }, small, new Staging(stagingFile), options, clock);

  journal.provisional = provisional;
  const topics = new Map(loaded.ledger.map((entry) => [ledgerKey(entry), entry]));
  const seed = (): Batch => ({
    epochs: state.epochs.slice(-1),
    tombstones: [...small.tombstones],
    ledger: [...topics.values()].map((entry) => ({ ...entry, present: true })),
  });
  const durable = recovered.from === "staging" ? loaded.head : state.head;
  const disk = new DiskTier({ journal, client, faults, options, clock, durable, owed, seed, gaps });
  await disk.measure();
  const outbox = new JournalOutbox(journal, disk, new SegmentReader(disk, () => state.epochs));

  const { epoch } = state;
  const { pending } = state.counters(DESTINATION);
  log.info("the store is open", { epoch, from: recovered.from, newEpoch: recovered.newEpoch, pending });
  if (recovered.lost > 0) log.warn("records were lost", { lost: recovered.lost, from: recovered.from });
  return new DurableStore({ options, clock, log, client, faults, journal, disk, outbox, topics });
}

/** What the disk knows, and what the staging file knows better. */
function smallStateOf(loaded: Loaded, staged: Staged | undefined, clock: Clock): SmallState {
  const small = new SmallState(loaded);
  if (staged) {
    small.unstage(staged.header);
    for (const event of staged.events) {
      if (event.kind === "meta") small.setMeta(event.key, event.value);
      if (event.kind === "boot") small.saveBoot(event.boot);
      if (event.kind === "forget") small.forgetNewest(event.device);
      if (event.kind === "take") small.setNewest(event.record);
    }
  }
  if (!small.meta.has(INSTANCE)) small.setMeta(INSTANCE, staged?.header.instance ?? randomUUID());
  if (!small.boots.some(({ boot }) => boot === clock.bootId())) small.saveBoot({ boot: clock.bootId(), anchors: [] });
  return small;
}

interface Claim {
  readonly state: OutboxState;
  readonly owed: Batch;
  /** Those that the disk has. */
  readonly gaps: readonly Gap[];
  readonly provisional: boolean;
}

/**
 * Makes durable that this run's epoch is taken and that the last stop's mark is void, before anything goes out under it.
 * Where the disk refuses, the epoch of a clean stop is not continued, for its mark would let a later run do so again; and
 * as the disk may never learn of the new one, that is provisional until the clock is right.
 */
async function claim(
  client: StoreClient,
  loaded: Loaded,
  recovered: Recovered,
  small: SmallState,
  { clock }: StoreDeps,
  faults: Faults,
): Promise<Claim> {
  const { state } = recovered;
  const wasClean = small.meta.has(CLEAN_STOP);
  const known = loaded.epochs.some(({ epoch }) => epoch === state.epoch);
  if (known && !wasClean) return { state, owed: {}, gaps: loaded.gaps, provisional: false };

  small.setMeta(CLEAN_STOP, undefined);
  const changes = small.takeChanges(false);
  const epochs = known ? {} : { epochs: state.epochs.slice(-1) };
  try {
    await client.call("write", { ...epochs, gaps: state.gaps.map((gap) => [gap.id, gap]), ...changes });
    return { state, owed: {}, gaps: state.gaps, provisional: false };
  } catch (error) {
    if (!isGatewayError(error)) throw error;
    faults.raise("disk", error);
    small.putBack(changes);
    const own = known ? withNextEpoch(state, clock) : state;
    const provisional = clock.syncState() !== "synced";
    return { state: own, owed: { epochs: own.epochs.slice(-1) }, gaps: loaded.gaps, provisional };
  }
}

function withNextEpoch(state: OutboxState, clock: Clock): OutboxState {
  const next = nextEpoch(state.epochs.at(-1), state.head, clock.wallMs());
  return new OutboxState({ ...state.snapshot(), epochs: [...state.epochs, { ...next, boot: clock.bootId() }] });
}
