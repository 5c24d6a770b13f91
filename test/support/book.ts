import mqtt from "mqtt";

interface Entry {
  readonly payload: string;
  readonly arrivedMs: number;
}

interface Reading {
  readonly epoch: number;
  readonly seq: number;
  readonly time: string;
  readonly clock: string;
  readonly values: unknown;
}

/**
 * An independent consumer: a session that the broker keeps for it while either is away, and a book of every reading that
 * came, in which it finds what should not be.
 */
export interface Book extends AsyncDisposable {
  /** Different readings that came. */
  readonly size: number;
  readonly duplicates: number;
  readonly epochs: readonly number[];
  /** `epoch/seq` that did not come, though a later one of that epoch did. */
  missing(): string[];
  /** Out of order, or one `seq` for two readings. */
  readonly violations: readonly string[];
  readings(): Reading[];
  /** How long after its own time each of them came. */
  lagsMs(): number[];
}

export async function keepBook(url: string, filter: string, clientId: string): Promise<Book> {
  const client = mqtt.connect(url, {
    protocolVersion: 5,
    clientId,
    clean: false,
    reconnectPeriod: 50,
    properties: { sessionExpiryInterval: 86_400, receiveMaximum: 1000 },
  });
  client.on("error", () => {});
  const entries = new Map<string, Entry>();
  const highest = new Map<number, number>();
  const violations: string[] = [];
  let duplicates = 0;
  client.on("message", (_topic, bytes) => {
    const reading = JSON.parse(bytes.toString()) as Reading;
    const { epoch, seq, time, values } = reading;
    const id = `${epoch}/${seq}`;
    const known = entries.get(id);
    if (known) {
      duplicates += 1;
      const first = JSON.parse(known.payload) as Reading;
      const isSame = JSON.stringify([first.time, first.values]) === JSON.stringify([time, values]);
      if (!isSame) violations.push(`${id} came as ${known.payload} and as ${bytes}`);
      return;
    }
    entries.set(id, { payload: bytes.toString(), arrivedMs: Date.now() });
    const before = highest.get(epoch) ?? 0;
    if (seq < before) violations.push(`${id} came after ${epoch}/${before}`);
    highest.set(epoch, Math.max(before, seq));
  });
  await new Promise((resolve) => client.once("connect", resolve));
  await client.subscribeAsync(filter, { qos: 1 });

  return {
    get size() {
      return entries.size;
    },
    get duplicates() {
      return duplicates;
    },
    get epochs() {
      return [...highest.keys()].sort((a, b) => a - b);
    },
    violations,
    readings: () => [...entries.values()].map(({ payload }) => JSON.parse(payload) as Reading),
    lagsMs: () =>
      [...entries.values()].map(({ payload, arrivedMs }) => arrivedMs - Date.parse(JSON.parse(payload).time)),
    missing() {
      const gaps: string[] = [];
      for (const [epoch, last] of highest) {
        for (let seq = 1; seq <= last; seq++) if (!entries.has(`${epoch}/${seq}`)) gaps.push(`${epoch}/${seq}`);
      }
      return gaps;
    },
    [Symbol.asyncDispose]: () => client.endAsync(true),
  };
}
