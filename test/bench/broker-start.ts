/**
 * How long the bundled broker takes to listen with much on its disk: 100,000 retained messages, 10,000 persistent sessions
 * with a subscription and two queued messages each.   scripts/bench broker-start [starts]
 */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { BrokerProcess } from "./support/broker-process.js";
import { RawClient } from "./support/raw-client.js";

const STARTS = Number(process.argv[2] ?? 5);
const RETAINED = 100_000;
const SESSIONS = 10_000;
const QUEUED = 2;
const CONNECTIONS = 50;

function* retained() {
  for (let n = 0; n < RETAINED; n++)
    yield {
      topic: `site/${n % 100}/device-${n >> 4}/${n & 15}`,
      payload: `{"value":${n},"time":"2026-11-27T12:00:00Z"}`,
    };
}

function* queued() {
  for (let round = 0; round < QUEUED; round++)
    for (let n = 0; n < SESSIONS; n++) yield { topic: `inbox/client-${n}`, payload: `message ${round} for ${n}` };
}

async function fill(port: number): Promise<void> {
  let next = 0;
  await Promise.all(
    Array.from({ length: CONNECTIONS }, async () => {
      while (next < SESSIONS) {
        const id = `client-${next++}`;
        using client = await RawClient.connect(port, id, false);
        await client.subscribe(`inbox/${id}`);
      }
    }),
  );
  using publisher = await RawClient.connect(port, "publisher", true);
  await publisher.publish(retained(), true);
  await publisher.publish(queued(), false);
}

/** User and system time of the process so far: says more than the clock where others use the machine. */
function cpuMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10; // sysconf(_SC_CLK_TCK) is 100 on every Linux Node runs on
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

const seconds = (ms: number) => `${(ms / 1000).toFixed(2)} s`;
const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

await using broker = new BrokerProcess("5s");
const emptyMs = await broker.start();
const emptyCpuMs = cpuMs(broker.pid);
await fill(broker.port);
print(`${RETAINED} retained messages, ${SESSIONS} sessions, ${SESSIONS * QUEUED} queued messages`);
const bareMs: number[] = [];
const startMs: number[] = [];
const startCpuMs: number[] = [];
for (let n = 0; n < STARTS; n++) {
  await broker.stop("SIGTERM");
  const beganMs = performance.now();
  execFileSync(process.execPath, ["-e", "0"]);
  bareMs.push(performance.now() - beganMs);
  startMs.push(await broker.start());
  startCpuMs.push(cpuMs(broker.pid));
}
print(`node by itself                ${seconds(median(bareMs))}`);
print(`start with nothing on disk    ${seconds(emptyMs)}, ${seconds(emptyCpuMs)} of CPU`);
print(
  `start with all of it          ${seconds(median(startMs))}, ${seconds(median(startCpuMs))} of CPU (goal: under 3 s)`,
);
print(`each                          ${startMs.map(seconds).join(", ")}`);
