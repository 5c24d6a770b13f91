import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect as connectTcp, createServer } from "node:net";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import mqtt, { type IClientOptions } from "mqtt";

// Debian installs the daemon outside an ordinary user's PATH.
const env = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` };

export interface MosquittoOptions {
  /** Lines put before the listener: global settings (`max_inflight_messages 7`). */
  readonly global?: readonly string[];
  /** Lines put after the listener: its own settings (`cafile …`, `protocol websockets`). */
  readonly listener?: readonly string[];
  /** Name and password of every user; with them anonymous clients are refused. */
  readonly passwords?: Readonly<Record<string, string>>;
  /** Lines of an ACL file (`topic readwrite a/#`). */
  readonly acl?: readonly string[];
  /** Keeps retained messages and sessions over `stop()` and `start()`. */
  readonly persistence?: boolean;
  /** Logs no packets: for more of them than a log can hold. */
  readonly quiet?: true;
}

/** Debian's mosquitto on a free port of 127.0.0.1, in a directory of its own. */
export interface Mosquitto extends AsyncDisposable {
  readonly port: number;
  readonly url: string;
  readonly directory: string;
  /** What it has logged so far. */
  log(): string;
  /** Ends it: politely, or as a crash would (`SIGKILL`). */
  stop(signal?: "SIGTERM" | "SIGKILL"): Promise<void>;
  /** Starts it again on the same port. */
  start(): Promise<void>;
}

export async function startMosquitto(options: MosquittoOptions = {}): Promise<Mosquitto> {
  const directory = mkdtempSync(join(tmpdir(), "mosquitto-"));
  const port = await freePort();
  const configPath = join(directory, "mosquitto.conf");
  writeFileSync(configPath, configText(port, directory, options));
  let child: ChildProcess | undefined;
  let log = "";

  const broker: Mosquitto = {
    port,
    url: `mqtt://127.0.0.1:${port}`,
    directory,
    log: () => log,
    async start() {
      const started = spawn("mosquitto", ["-c", configPath, ...(options.quiet ? [] : ["-v"])], {
        env,
        stdio: ["ignore", "pipe", "pipe"],
      });
      for (const stream of [started.stdout, started.stderr]) stream?.on("data", (chunk) => (log += chunk));
      child = started;
      await accepting(port, () => {
        if (started.exitCode !== null) throw new Error(`mosquitto ended with ${started.exitCode}:\n${log}`);
      });
    },
    async stop(signal = "SIGTERM") {
      if (!child || child.exitCode !== null || child.signalCode !== null) return;
      const exited = once(child, "exit");
      child.kill(signal);
      await exited;
    },
    async [Symbol.asyncDispose]() {
      await broker.stop("SIGKILL");
      rmSync(directory, { recursive: true, force: true });
    },
  };
  try {
    await broker.start();
  } catch (error) {
    await broker[Symbol.asyncDispose]();
    throw error;
  }
  return broker;
}

function configText(port: number, directory: string, options: MosquittoOptions): string {
  // Started as root it would turn into the user mosquitto, who cannot read the tests' files.
  const lines = [`user ${userInfo().username}`, ...(options.global ?? [])];
  if (options.persistence) lines.push("persistence true", `persistence_location ${directory}/`);
  if (options.passwords) lines.push(`password_file ${passwordFile(directory, options.passwords)}`);
  if (options.acl) {
    const file = join(directory, "acl");
    writeFileSync(file, `${options.acl.join("\n")}\n`);
    lines.push(`acl_file ${file}`);
  }
  lines.push(`allow_anonymous ${options.passwords ? "false" : "true"}`, `listener ${port} 127.0.0.1`);
  return `${[...lines, ...(options.listener ?? [])].join("\n")}\n`;
}

function passwordFile(directory: string, passwords: Readonly<Record<string, string>>): string {
  const file = join(directory, "passwords");
  const lines = Object.entries(passwords).map(([user, password]) => `${user}:${password}\n`);
  writeFileSync(file, lines.join(""));
  execFileSync("mosquitto_passwd", ["-U", file], { env });
  return file;
}

/** A port of 127.0.0.1 that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

async function accepting(port: number, check: () => void): Promise<void> {
  await waitFor(async () => {
    check();
    const socket = connectTcp(port, "127.0.0.1");
    const connected = await new Promise<boolean>((resolve) => {
      socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
    });
    socket.destroy();
    return connected;
  }, "mosquitto accepts connections");
}

export interface Collected {
  readonly topic: string;
  readonly payload: string;
  readonly retain: boolean;
  readonly qos: number;
  /** MQTT 5 message expiry, seconds. */
  readonly expirySeconds?: number;
}

export interface Collector extends AsyncDisposable {
  readonly messages: readonly Collected[];
  /** Payloads on one topic, oldest first. */
  on(topic: string): string[];
  publish(topic: string, payload: string, options?: { readonly retain?: boolean }): Promise<void>;
}

/** Subscribes to the filters and keeps what comes. Reconnects by itself when the broker comes back. */
export async function collect(
  at: number | string,
  filters: string | readonly string[] = "#",
  options: IClientOptions = {},
): Promise<Collector> {
  const url = typeof at === "number" ? `mqtt://127.0.0.1:${at}` : at;
  const client = mqtt.connect(url, { protocolVersion: 5, reconnectPeriod: 50, ...options });
  client.on("error", () => {});
  const messages: Collected[] = [];
  client.on("message", (topic, payload, packet) => {
    const expiry = packet.properties?.messageExpiryInterval;
    messages.push({
      topic,
      payload: payload.toString(),
      retain: packet.retain,
      qos: packet.qos,
      ...(expiry !== undefined && { expirySeconds: expiry }),
    });
  });
  await new Promise((resolve) => client.once("connect", resolve));
  const wanted = typeof filters === "string" ? [filters] : [...filters];
  // Retain as published: a live retained message then keeps its flag.
  await client.subscribeAsync(Object.fromEntries(wanted.map((filter) => [filter, { qos: 1 as const, rap: true }])));
  return {
    messages,
    on: (topic) => messages.filter((message) => message.topic === topic).map(({ payload }) => payload),
    publish: async (topic, payload, { retain = false } = {}) => {
      await client.publishAsync(topic, payload, { qos: 1, retain });
    },
    [Symbol.asyncDispose]: () => client.endAsync(true),
  };
}

/** The retained messages that a new subscriber gets. */
export async function retainedOn(
  at: number | string,
  filter = "#",
  options: IClientOptions = {},
): Promise<Collected[]> {
  const fence = `fence/${Math.random()}`;
  await using collector = await collect(at, [filter, fence], options);
  // Retained messages are queued at the subscription, so they arrive before what is published after it.
  await collector.publish(fence, "");
  await waitFor(() => collector.on(fence).length > 0, "the fence message");
  return collector.messages.filter(({ topic, retain }) => retain && topic !== fence);
}

/** Resolves once `predicate` holds; rejects with `what` after `timeoutMs`. */
export async function waitFor(
  predicate: () => boolean | Promise<boolean>,
  what = "the awaited condition",
  timeoutMs = 60_000,
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!(await predicate())) {
    if (performance.now() > deadline) throw new Error(`waited ${timeoutMs} ms in vain for: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
