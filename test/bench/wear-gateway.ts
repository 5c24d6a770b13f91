/**
 * What a whole gateway with 50 sensors, each read every 10 s, writes to its card in a day: with Mosquitto, with its own
 * broker, and with no broker. Each on an ext4 of its own, on a loop device whose counters are read; needs root.
 * scripts/bench wear-gateway [minutes: 60] [minutes before that, to warm up: 10]
 *
 * In real time: what is written each five minutes, or each hour, is most of it.
 */
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Card, makeCard } from "./support/card.ts";
import { type BenchBroker, startMosquitto } from "./support/drain-brokers.ts";

const MINUTES = Number(process.argv[2] ?? 60);
const WARM_UP_MINUTES = Number(process.argv[3] ?? 10);
const SAY_EACH_MINUTES = 5;
const MINUTE_MS = 60_000;
const MINUTES_A_DAY = 1440;
const SENSORS = Array.from({ length: 50 }, (_, index) => (index + 1).toString(16).padStart(12, "0"));
const MAIN = join(import.meta.dirname, "../../main.js");

const root = mkdtempSync("/dev/shm/fieldpost-wear-");
const tools = join(root, "tools");
mkdirSync(tools);
// A clock that nobody sets holds readings back, and what waits is written: a gateway in the field has NTP.
writeFileSync(join(tools, "timedatectl"), "#!/bin/sh\necho NTP=yes\necho NTPSynchronized=yes\n", { mode: 0o755 });

interface Running extends AsyncDisposable {
  readonly title: string;
  readonly goalMb: number;
  readonly card: Card;
  readonly pid: number;
}

interface Look {
  readonly bytes: number;
  readonly flushes: number;
  /** Of the process, as the kernel counts (proc(5), /proc/pid/io). */
  readonly ownBytes: number;
}

function gateway(title: string, goalMb: number, network: string): Running {
  const name = title.replaceAll(" ", "-");
  const card = makeCard(root, name);
  const file = join(root, `${name}.yaml`);
  const devices = SENSORS.map(
    (id, index) => `  - { id: t${index}, driver: ds18b20, bus: sim, sensor: 28-${id}, interval: 10s }`,
  );
  writeFileSync(
    file,
    `gateway: { id: gw }\nlog: { level: warn }\nstore: { path: ${card.mount}/store }\n${network}\ndevices:\n${devices.join("\n")}\n`,
  );
  const child = spawn(process.execPath, [MAIN, "run", "--config", file], {
    env: { ...process.env, PATH: `${tools}:${process.env.PATH}`, RUNTIME_DIRECTORY: join(root, `${name}-run`) },
    stdio: ["ignore", "ignore", "inherit"],
  });
  return {
    title,
    goalMb,
    card,
    pid: child.pid ?? 0,
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      if (child.exitCode === null) await new Promise((resolve) => child.once("exit", resolve));
      card[Symbol.dispose]();
    },
  };
}

function look({ card, pid }: Running): Look {
  const io = readFileSync(`/proc/${pid}/io`, "utf8");
  return { ...card.written(), ownBytes: Number(/^write_bytes: (\d+)$/m.exec(io)?.[1]) };
}

function say(running: Running, before: Look, minutes: number): void {
  const { title, goalMb } = running;
  const now = look(running);
  const perDay = (bytes: number) => ((bytes / minutes) * MINUTES_A_DAY) / 1e6;
  const flushes = (now.flushes - before.flushes) / (minutes * 60);
  process.stdout.write(
    `${title.padEnd(18)} ${perDay(now.bytes - before.bytes)
      .toFixed(1)
      .padStart(
        7,
      )} MB a day on the card, ${perDay(now.ownBytes - before.ownBytes).toFixed(1)} by the process, ${flushes.toFixed(3)} flushes/s over ${minutes} minutes (goal: ${goalMb} MB, 0.45)\n`,
  );
}

async function measure(all: readonly Running[]): Promise<void> {
  await sleep(WARM_UP_MINUTES * MINUTE_MS);
  const before = all.map(look);
  for (let minutes = SAY_EACH_MINUTES; minutes <= MINUTES; minutes += SAY_EACH_MINUTES) {
    await sleep(SAY_EACH_MINUTES * MINUTE_MS);
    for (const [index, running] of all.entries()) say(running, before[index] as Look, minutes);
  }
}

try {
  await using mosquitto: BenchBroker = await startMosquitto(root);
  await using external = gateway("Mosquitto", 5, `mqtt: { url: "${mosquitto.url}" }`);
  await using bundled = gateway("the bundled broker", 5, "broker: { listeners: [{ address: 127.0.0.1, port: 0 }] }");
  // The discard port, where nobody listens.
  await using offline = gateway("no broker", 320, 'mqtt: { url: "mqtt://127.0.0.1:9" }');
  await measure([external, bundled, offline]);
} finally {
  rmSync(root, { recursive: true, force: true });
}
process.exit(0);
