import type { StoredRecord } from "../../src/core/reading.ts";

/** A reading that the gateway took, by the word of its store. */
interface Taken {
  readonly n: number;
  readonly device: string;
  readonly trueMs: number;
  /** In the simulation's time, in which nothing is suspended. */
  readonly nowMs: number;
  /** It may be missing: a power cut came before it had to be on the disk. */
  mayBeLost: boolean;
}

interface Arrived {
  readonly n: number;
  readonly payload: Payload;
  readonly connections: number[];
  /** A power cut may have taken what it was dated by. */
  dateMayMove: boolean;
}

interface Payload {
  readonly epoch: number;
  readonly seq: number;
  readonly time: string;
  readonly clock: string;
  readonly earliest?: string;
  readonly latest?: string;
  readonly values: { readonly n: number };
}

/**
 * What the gateway says will not come; without `to`, whatever comes after `from` is in doubt, in later epochs too that the disk
 * never took, up to the one in which it is told.
 */
interface ToldGap {
  readonly epoch: number;
  readonly from?: number;
  readonly to?: number;
}

interface Gap extends ToldGap {
  toldIn: number;
}

function covers({ epoch: of, from = Infinity, to, toldIn }: Gap, epoch: number, seq: number): boolean {
  if (epoch === of) return from <= seq && seq <= (to ?? Infinity);
  return to === undefined && of < epoch && epoch < toldIn;
}

interface Balance {
  readonly sampled: number;
  readonly delivered: number;
  readonly pending: number;
  readonly dropped_total: number;
}

/** The simulated clocks do not drift; a time on the wire has whole milliseconds. */
const TIME_TOLERANCE_MS = 2;

/** An independent consumer with a book of its own: what was taken, what arrived, and what of it breaks a promise. */
export class Consumer {
  readonly violations: string[] = [];
  readonly #taken = new Map<string, Taken>();
  readonly #arrived = new Map<string, Arrived>();
  readonly #refusedIn = new Map<string, Set<number>>();
  readonly #highest = new Map<number, number>();
  readonly #gaps: Gap[] = [];

  violated(what: string): void {
    this.violations.push(what);
  }

  /** `sampled = delivered + pending + dropped`, whoever says it. */
  balance({ sampled, delivered, pending, dropped_total }: Balance): void {
    if (sampled === delivered + pending + dropped_total) return;
    this.violated(`${sampled} sampled are not ${delivered} delivered, ${pending} pending and ${dropped_total} dropped`);
  }

  get arrivedCount(): number {
    return this.#arrived.size;
  }

  get takenCount(): number {
    return this.#taken.size;
  }

  taken({ epoch, seq, record }: StoredRecord, trueMs: number, nowMs: number): void {
    const id = `${epoch}/${seq}`;
    if (this.#taken.has(id)) this.violated(`${id} was given to two readings`);
    this.#taken.set(id, { n: Number(record.values.n), device: record.device, trueMs, nowMs, mayBeLost: false });
  }

  /** An epoch that the disk had not taken yet, and under which nothing was sent, has got its number for good. */
  renumbered(from: number, to: number): void {
    for (const gap of this.#gaps) if (gap.toldIn === from) gap.toldIn = to;
    for (const [id, taken] of [...this.#taken]) {
      const [epoch, seq] = id.split("/");
      if (Number(epoch) !== from) continue;
      this.#taken.delete(id);
      this.#taken.set(`${to}/${seq}`, taken);
    }
  }

  /** An epoch that the disk never heard of is gone with a power cut, and so are its numbers, if nobody else heard of it either. */
  forgotten(isKnown: (epoch: number) => boolean): void {
    for (const [id, { mayBeLost }] of [...this.#taken]) {
      const epoch = Number(id.split("/")[0]);
      if (mayBeLost && !this.#highest.has(epoch) && !isKnown(epoch)) this.#taken.delete(id);
    }
  }

  /** A power cut: what was taken later did not have to be on the disk yet. */
  powerCut(safeUntilMs: number): void {
    for (const taken of this.#taken.values()) if (taken.nowMs > safeUntilMs) taken.mayBeLost = true;
  }

  /** A power cut before the clock's first anchor of a life had to be on the disk. */
  losesDatesSince(bootedMs: number): void {
    for (const [id, arrived] of this.#arrived) {
      if ((this.#taken.get(id)?.nowMs ?? 0) >= bootedMs) arrived.dateMayMove = true;
    }
  }

  heard(connection: number, payload: Payload): void {
    const { epoch, seq, values } = payload;
    const id = `${epoch}/${seq}`;
    const before = this.#arrived.get(id);
    if (before) this.#again(id, before, connection, payload);
    else {
      this.#arrived.set(id, { n: values.n, payload, connections: [connection], dateMayMove: false });
      this.#inOrder(id, epoch, seq);
    }
    this.#rightly(id, payload);
  }

  refused(connection: number, { epoch, seq }: Payload): void {
    const id = `${epoch}/${seq}`;
    const connections = this.#refusedIn.get(id) ?? new Set();
    this.#refusedIn.set(id, connections.add(connection));
  }

  told(gap: ToldGap, toldIn: number): void {
    this.#gaps.push({ ...gap, toldIn });
  }

  /** Everything that was taken is here, or told of; and lost at a power cut is only what may be. */
  settle(): void {
    for (const [id, { mayBeLost }] of this.#taken) {
      if (this.#arrived.has(id)) continue;
      const [epoch = 0, seq = 0] = id.split("/").map(Number);
      const telling = this.#gaps.filter((gap) => covers(gap, epoch, seq));
      if (telling.length === 0) this.violated(`${id} is missing, and no gap tells of it`);
      const isDropped = telling.some(({ to }) => to !== undefined);
      if (!isDropped && !mayBeLost) this.violated(`${id} was lost at a power cut, and was on the disk by the promise`);
    }
  }

  #again(id: string, before: Arrived, connection: number, payload: Payload): void {
    if (before.n !== payload.values.n) this.violated(`${id} came as ${before.n} and as ${payload.values.n}`);
    if (before.connections.includes(connection)) this.violated(`${id} came twice over connection ${connection}`);
    const [one, other] = [before.payload, payload];
    if (one.clock === "synced" && one.time !== other.time && !before.dateMayMove) {
      this.violated(`${id} was dated ${one.time}, and ${other.time} when it was sent again`);
    }
    before.connections.push(connection);
  }

  /** A reading that the broker refused for the moment comes later than those behind it, and no other. */
  #inOrder(id: string, epoch: number, seq: number): void {
    const highest = this.#highest.get(epoch) ?? 0;
    if (seq < highest && !this.#refusedIn.has(id)) this.violated(`${id} came after ${epoch}/${highest}`);
    this.#highest.set(epoch, Math.max(highest, seq));
  }

  #rightly(id: string, { values, time, clock, earliest, latest }: Payload): void {
    const taken = this.#taken.get(id);
    if (!taken) {
      this.violated(`${id} came and was never taken`);
      return;
    }
    if (taken.n !== values.n) this.violated(`${id} is reading ${taken.n} and came as ${values.n}`);
    const offMs = Date.parse(time) - taken.trueMs;
    if (clock === "synced" && Math.abs(offMs) > TIME_TOLERANCE_MS) this.violated(`${id} is dated off by ${offMs} ms`);
    if (earliest !== undefined && Date.parse(earliest) > taken.trueMs) this.violated(`${id} was before ${earliest}`);
    if (latest !== undefined && Date.parse(latest) < taken.trueMs) this.violated(`${id} was after ${latest}`);
  }
}
