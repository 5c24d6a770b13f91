/**
 * What the gateway costs while it does its job: time from the start to the first published value, CPU and memory at rest
 * with 20 simulated devices at 10 s, the bundled broker and one subscriber.   scripts/bench at-rest [seconds]
 */
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { connectAsync } from "mqtt";

const SECONDS = Number(process.argv[2] ?? 60);
const CLOCK_TICKS_PER_S = 100; // sysconf(_SC_CLK_TCK) on every Linux Node runs on

/** Twenty devices of every kind that can be simulated: as many I2C chips as one bus has addresses for, then the others. */
const devices = [
  ...["0x76", "0x77"].map((address) => `driver: bme280, address: ${address}`),
  ...["0x44", "0x45", "0x46"].map((address) => `driver: sht4x, address: ${address}`),
  ...Array.from({ length: 8 }, (_, index) => `driver: ds18b20, sensor: 28-00155e00000${index + 1}`),
  ...Array.from({ length: 7 }, (_, index) => `driver: digital-input, pin: ${index + 4}`),
];

function configuration(port: number, directory: string): string {
  return [
    "gateway: { id: bench }",
    `broker: { listeners: [ { address: 127.0.0.1, port: ${port} } ] }`,
    `store: { path: ${join(directory, "store")} }`,
    "devices:",
    ...devices.map((device, index) => `  - { id: d${index}, bus: sim, interval: 10s, ${device} }`),
    "",
  ].join("\n");
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

async function firstReading(port: number): Promise<void> {
  for (;;) {
    if (gateway.exitCode !== null) throw new Error(`the gateway ended with ${gateway.exitCode}`);
    try {
      const client = await connectAsync(`mqtt://127.0.0.1:${port}`, { reconnectPeriod: 0 });
      await new Promise<void>((resolve) => {
        client.on("message", () => resolve());
        client.subscribe("fieldpost/bench/+/readings");
      });
      return;
    } catch {
      await sleep(10);
    }
  }
}

function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) / CLOCK_TICKS_PER_S;
}

function memoryMib(pid: number, key: "VmRSS" | "VmHWM"): number {
  const line = readFileSync(`/proc/${pid}/status`, "utf8").match(new RegExp(`^${key}:\\s+(\\d+) kB`, "m"));
  return Number(line?.[1]) / 1024;
}

const directory = mkdtempSync(join(tmpdir(), "fieldpost-bench-"));
const port = await freePort();
const configFile = join(directory, "fieldpost.yaml");
writeFileSync(configFile, configuration(port, directory));
const startedAt = performance.now();
const main = join(import.meta.dirname, "../../main.js");
// As systemd/fieldpost.service runs it.
const env = {
  ...process.env,
  UV_THREADPOOL_SIZE: "16",
  MALLOC_ARENA_MAX: "2",
  NODE_OPTIONS: "--max-semi-space-size=2 --v8-pool-size=0",
};
const gateway = spawn(process.execPath, [main, "run", "--config", configFile], {
  env,
  stdio: ["ignore", "ignore", "inherit"],
});
try {
  const pid = gateway.pid ?? 0;
  await firstReading(port);
  const firstMs = performance.now() - startedAt;
  await sleep(15_000);
  const cpuBefore = cpuSeconds(pid);
  await sleep(SECONDS * 1000);
  const cpuShare = (cpuSeconds(pid) - cpuBefore) / SECONDS;
  process.stdout.write(
    [
      `first value published after   ${(firstMs / 1000).toFixed(2)} s      (goal: under 2 s)`,
      `CPU at rest over ${SECONDS} s         ${(cpuShare * 100).toFixed(2)} % of a core (goal: under 1 %)`,
      `resident memory               ${memoryMib(pid, "VmRSS").toFixed(0)} MiB, peak ${memoryMib(pid, "VmHWM").toFixed(0)} MiB (goal: under 110 MiB)`,
      "",
    ].join("\n"),
  );
} finally {
  gateway.kill("SIGTERM");
  await new Promise((resolve) => gateway.once("exit", resolve));
  rmSync(directory, { recursive: true });
}
process.exit(0);
