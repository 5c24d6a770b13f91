/** The built store and uplink, as far as the benchmarks use them: these files compile apart from the program. */
interface Stored {
  readonly position: number;
}

export interface BenchStore extends AsyncDisposable {
  readonly outbox: {
    readonly head: number;
    cursor(destination: string): number;
    after(position: number, limit: number): Promise<Stored[]>;
    acknowledge(destination: string, position: number): void;
  };
  accept(record: object): Stored | undefined;
  counters(): { readonly delivered: number; readonly pending: number };
  flush(): Promise<void>;
  usage(): { readonly bytes: number };
}

export interface BenchClock {
  monoMs(): number;
  wallMs(): number;
  bootId(): string;
  syncState(): string;
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

const load = async <T>(file: string): Promise<T> => (await import(new URL(`../../${file}`, import.meta.url).href)) as T;

export const quiet = { debug() {}, info() {}, warn() {}, error() {}, part: () => quiet };

export async function clockOf(): Promise<BenchClock> {
  const { linuxClock } = await load<{ linuxClock(): BenchClock }>("hardware/clock.js");
  return { ...linuxClock(), syncState: () => "synced" };
}

export async function openStore(
  path: string,
  staging: string,
  options: object,
  clock: BenchClock,
): Promise<BenchStore> {
  const { openStore: open } = await load<{ openStore(o: object, d: object): Promise<BenchStore> }>(
    "store/open-store.js",
  );
  const all = {
    path,
    stagingPath: staging,
    commitWindowMs: 5000,
    maxBytes: 2 ** 31,
    whenFull: "drop_oldest",
    ...options,
  };
  return await open(all, { clock, log: quiet });
}

/** The real uplink over a store; resolves when the signal ends it. */
export async function runUplink(store: BenchStore, url: string, clock: BenchClock, signal: AbortSignal): Promise<void> {
  const { createUplink } = await load<{ createUplink(o: object, d: object): { run(s: AbortSignal): Promise<void> } }>(
    "uplink/uplink.js",
  );
  const { uplinkDefaults } = await load<{ uplinkDefaults: object }>("uplink/options.js");
  const { Board } = await load<{ Board: new () => object }>("core/board.js");
  const { topicsOf } = await load<{ topicsOf(base: string, id: string): object }>("core/topics.js");
  const gateway = {
    id: "bench",
    name: "Bench",
    instance: "0a1b",
    version: "0",
    host: "h",
    kernel: "6",
    broker: "external",
    epoch: 1,
  };
  const topics = topicsOf("fieldpost", "bench");
  // Nobody notes here when the clock was right.
  const options = { ...uplinkDefaults, urls: [url], clientId: "bench-0a1b", topics, holdEstimatedMs: 0 };
  const parts = {
    store,
    board: new Board(),
    clock,
    log: quiet,
    random: Math.random,
    gateway,
    discovery: () => [],
    subscriptions: [],
  };
  await createUplink(options, parts).run(signal);
}

/** A typical reading: 50 devices in turn, one value that wanders. */
export function readings(clock: BenchClock): () => object {
  let n = 0;
  const values = Array.from({ length: 50 }, (_, index) => 20 + index);
  return () => {
    const index = n++ % 50;
    values[index] = Math.round(((values[index] ?? 0) + (Math.random() - 0.5) * 0.2) * 100) / 100;
    const at = { boot: clock.bootId(), monoMs: Math.round(clock.monoMs()) };
    return { kind: "reading", device: `sensor${index}`, values: { temperature: values[index] }, at };
  };
}
