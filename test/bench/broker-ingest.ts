/**
 * Durable ingest: QoS 1 messages that a persistent session away is to get, in SQLite before each PUBACK (persistence
 * window 0), and beside it with the window of 5 s, and without anybody to keep them for.   scripts/bench broker-ingest [seconds]
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BrokerProcess } from "./support/broker-process.js";
import { buildMqload, mqload } from "./support/mqload.js";
import { RawClient } from "./support/raw-client.js";

const SECONDS = Number(process.argv[2] ?? 4);
/** What the load generator publishes to. */
const TOPIC = "bench/sensor/t01";

interface Scenario {
  readonly title: string;
  readonly window: string;
  readonly inFlight: number;
  readonly isKept: boolean;
}

const scenarios: readonly Scenario[] = [
  { title: "kept, window 0, 100 in flight (goal: 40,000/s)", window: "0s", inFlight: 100, isKept: true },
  { title: "kept, window 0, 1000 in flight", window: "0s", inFlight: 1000, isKept: true },
  { title: "kept, window 5 s, 100 in flight", window: "5s", inFlight: 100, isKept: true },
  { title: "kept for nobody, 100 in flight", window: "0s", inFlight: 100, isKept: false },
];

const directory = mkdtempSync(join(tmpdir(), "fieldpost-bench-"));
try {
  const program = buildMqload(directory);
  for (const { title, window, inFlight, isKept } of scenarios) {
    await using broker = new BrokerProcess(window);
    await broker.start();
    if (isKept) {
      using away = await RawClient.connect(broker.port, "away", false);
      await away.subscribe(TOPIC);
    }
    const options = { port: broker.port, pid: broker.pid, mode: "ingest", qos: 1, window: inFlight, secs: SECONDS };
    const { rate, cpu_per_m, rss_kb } = await mqload(program, options);
    const figures = `${rate.toFixed(0).padStart(7)} msg/s, ${cpu_per_m.toFixed(1)} CPU-s per million, ${(rss_kb / 1024).toFixed(0)} MiB`;
    process.stdout.write(`${title.padEnd(50)} ${figures}\n`);
  }
} finally {
  rmSync(directory, { recursive: true });
}
