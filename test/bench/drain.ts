/**
 * How fast a backlog leaves: from the store on the disk to Debian's Mosquitto, while sampling goes on; beside it what
 * hand-made packets and a default mqtt.js client reach with the same messages.   scripts/bench drain [readings]
 * Then the same over a line of 50 ms round trip, with one connection and with four.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, connect as connectTcp, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { connectAsync } from "mqtt";

const READINGS = Number(process.argv[2] ?? 1_000_000);
const COMPARED = Math.min(READINGS, 100_000);
const FAR_READINGS = Math.min(READINGS, 30_000);
const ROUND_TRIP_MS = 50;
const DEVICES = 50;

/** The built program's own parts, as far as they are used here. */
interface Parts {
  openStore(options: object, deps: object): Promise<Store>;
  createUplink(options: object, deps: object): { run(signal: AbortSignal): Promise<void> };
  uplinkDefaults: object;
  linuxClock(): { bootId(): string; monoMs(): number; wallMs(): number };
  topicsOf(base: string, gateway: string): object;
  Board: new () => object;
}

interface Store extends AsyncDisposable {
  accept(record: object): unknown;
  flush(): Promise<void>;
  saveBoot(boot: object): void;
  counters(): { readonly sampled: number; readonly delivered: number; readonly pending: number };
}

const part = (name: string) => import(new URL(`../../${name}.js`, import.meta.url).href);
const parts: Parts = Object.assign(
  {},
  ...(await Promise.all(
    ["store/open-store", "uplink/uplink", "uplink/options", "hardware/clock", "core/topics", "core/board"].map(part),
  )),
);

const quiet: object = { debug() {}, info() {}, warn() {}, error() {}, part: () => quiet };
const clock = { ...parts.linuxClock(), syncState: () => "synced" };
const directory = mkdtempSync(join(tmpdir(), "fieldpost-drain-"));
let number = 0;

function reading(): object {
  number++;
  const values = {
    temperature: 20 + (number % 100) / 10,
    humidity: 40 + (number % 30),
    pressure: 1000 + (number % 50),
  };
  const at = { boot: clock.bootId(), monoMs: Math.round(clock.monoMs()) };
  return { kind: "reading", device: `d${number % DEVICES}`, at, values };
}

async function filled(count: number): Promise<Store> {
  const name = String(number);
  const [path, stagingPath] = [
    join(directory, "store", name),
    join("/dev/shm", `fieldpost-drain-${process.pid}`, name),
  ];
  const options = { path, stagingPath, commitWindowMs: 5000, maxBytes: 2 ** 32, whenFull: "drop_oldest" };
  const store = await parts.openStore(options, { clock, log: quiet });
  const monoMs = clock.monoMs();
  store.saveBoot({ boot: clock.bootId(), anchors: [{ monoMs, offsetMs: clock.wallMs() - monoMs }] });
  for (let taken = 0; taken < count; taken++) {
    store.accept(reading());
    if (taken % 5000 === 4999) await store.flush();
  }
  await store.flush();
  return store;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await sleep(10);
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function mosquitto() {
  const port = await freePort();
  const file = join(directory, "mosquitto.conf");
  writeFileSync(file, `listener ${port} 127.0.0.1\nallow_anonymous true\nmax_inflight_messages 0\n`);
  const PATH = `${process.env.PATH}:/usr/sbin`;
  const child = spawn("mosquitto", ["-c", file], { stdio: "ignore", env: { ...process.env, PATH } });
  await sleep(500);
  return { port, stop: () => child.kill("SIGKILL") };
}

/** A line that holds every byte back for half of the round trip, in both directions. */
async function farLine(port: number): Promise<{ readonly port: number; close(): void }> {
  const server = createServer((near) => {
    const far = connectTcp(port, "127.0.0.1");
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      from.setNoDelay(true);
      from.on("data", (chunk) => setTimeout(() => to.write(chunk), ROUND_TRIP_MS / 2));
      from.on("close", () => to.destroy()).on("error", () => to.destroy());
    }
  });
  server.listen(0, "127.0.0.1");
  await sleep(10);
  return { port: (server.address() as AddressInfo).port, close: () => server.close() };
}

/** Microseconds of processor time that the last drain took for each reading, all threads together. */
let cpu = 0;

function cpuOf(before: NodeJS.CpuUsage, messages: number): number {
  const { user, system } = process.cpuUsage(before);
  return (user + system) / messages;
}

/** Readings a second. */
async function drain(store: Store, port: number, connections: number): Promise<number> {
  const stop = new AbortController();
  const gateway = {
    id: "bench",
    name: "bench",
    instance: "b",
    version: "0",
    host: "h",
    kernel: "k",
    broker: "bundled",
  };
  const options = {
    ...parts.uplinkDefaults,
    urls: [`mqtt://127.0.0.1:${port}`],
    clientId: `bench-${number}`,
    topics: parts.topicsOf("fieldpost", gateway.id),
    connections,
  };
  const deps = { store, board: new parts.Board(), clock, random: Math.random, log: quiet, gateway };
  const uplink = parts.createUplink(options, { ...deps, discovery: () => [], subscriptions: [] });
  const sampling = setInterval(() => store.accept(reading()), 200);
  const { pending } = store.counters();
  const started = performance.now();
  const cpuBefore = process.cpuUsage();
  const running = uplink.run(stop.signal);
  while (store.counters().delivered < pending) await sleep(20);
  const seconds = (performance.now() - started) / 1000;
  cpu = cpuOf(cpuBefore, pending);
  clearInterval(sampling);
  stop.abort();
  await running;
  await store[Symbol.asyncDispose]();
  return pending / seconds;
}

const message = (seq: number) => ({
  topic: `fieldpost/bench/d${seq % DEVICES}/readings`,
  payload: JSON.stringify({
    epoch: 1795231452,
    seq,
    time: "2026-11-21T03:24:18.403Z",
    clock: "synced",
    values: { temperature: 23.2, humidity: 43, pressure: 1014 },
    replay: true,
  }),
});

/** What a default client of mqtt.js does when it is handed all of them. */
async function naive(port: number): Promise<number> {
  const client = await connectAsync(`mqtt://127.0.0.1:${port}`);
  const started = performance.now();
  const cpuBefore = process.cpuUsage();
  const sent: Promise<unknown>[] = [];
  for (let seq = 1; seq <= COMPARED; seq++) {
    const { topic, payload } = message(seq);
    sent.push(client.publishAsync(topic, payload, { qos: 1 }));
    // More than that and its packet ids run out.
    if (sent.length === 1000) await Promise.all(sent.splice(0));
  }
  await Promise.all(sent);
  const seconds = (performance.now() - started) / 1000;
  cpu = cpuOf(cpuBefore, COMPARED);
  await client.endAsync(true);
  return COMPARED / seconds;
}

/** PUBLISH packets made by hand, a hundred at a time: what the line and the broker can do. */
async function handMade(port: number): Promise<number> {
  const socket = connectTcp(port, "127.0.0.1");
  socket.setNoDelay(true);
  const id = Buffer.from("bench-hand");
  socket.write(
    Buffer.concat([
      Buffer.from([0x10, 12 + id.length, 0, 4]),
      Buffer.from("MQTT"),
      Buffer.from([4, 2, 0, 60, 0, id.length]),
      id,
    ]),
  );
  let seq = 0;
  let acknowledged = 0;
  let inFlight = 0;
  const packet = () => {
    seq++;
    const { topic, payload } = message(seq);
    const bytes = 4 + topic.length + payload.length;
    const head = [0x32, (bytes & 0x7f) | 0x80, bytes >> 7, 0, topic.length];
    const packetId = (seq % 65_535) + 1;
    return Buffer.concat([
      Buffer.from(head),
      Buffer.from(topic),
      Buffer.from([packetId >> 8, packetId & 0xff]),
      Buffer.from(payload),
    ]);
  };
  const started = performance.now();
  await new Promise<void>((resolve) => {
    let skip = 4;
    let bytes = 0;
    socket.on("data", (chunk) => {
      bytes += chunk.length - Math.min(skip, chunk.length);
      skip -= Math.min(skip, chunk.length);
      const total = Math.floor(bytes / 4);
      inFlight -= total - acknowledged;
      acknowledged = total;
      if (acknowledged >= COMPARED) return resolve();
      const packets: Buffer[] = [];
      while (inFlight < 100 && seq < COMPARED) {
        packets.push(packet());
        inFlight++;
      }
      if (packets.length > 0) socket.write(Buffer.concat(packets));
    });
  });
  socket.destroy();
  return COMPARED / ((performance.now() - started) / 1000);
}

const line = (name: string, value: string) => process.stdout.write(`${name.padEnd(52)} ${value}\n`);
const rate = (perSecond: number) => `${Math.round(perSecond).toLocaleString("en")}/s`;
const broker = await mosquitto();
try {
  const store = await filled(READINGS);
  let peak = 0;
  const watch = setInterval(() => {
    peak = Math.max(peak, process.memoryUsage.rss());
  }, 100);
  const ours = await drain(store, broker.port, 1);
  clearInterval(watch);
  const oursCpu = cpu;
  const hand = await handMade(broker.port);
  const plain = await naive(broker.port);
  line(`backlog of ${READINGS} to Mosquitto while sampling`, `${(READINGS / ours).toFixed(1)} s, ${rate(ours)}`);
  line("resident memory meanwhile (all of this program)", `${Math.round(peak / 1e6)} MB at most`);
  line("against packets made by hand, window 100", `${rate(hand)}, ratio ${(ours / hand).toFixed(2)}`);
  line("against default mqtt.js, a thousand at a time", `${rate(plain)}, ratio ${(ours / plain).toFixed(2)}`);
  const times = `${oursCpu.toFixed(0)} µs a reading, against ${cpu.toFixed(0)} µs of default mqtt.js`;
  line("processor time, the store's thread included", times);
  const far = await farLine(broker.port);
  for (const connections of [1, 4]) {
    const perSecond = await drain(await filled(FAR_READINGS), far.port, connections);
    line(`at ${ROUND_TRIP_MS} ms round trip, connections: ${connections}`, rate(perSecond));
  }
  far.close();
} finally {
  broker.stop();
  rmSync(directory, { recursive: true, force: true });
  rmSync(join("/dev/shm", `fieldpost-drain-${process.pid}`), { recursive: true, force: true });
}
