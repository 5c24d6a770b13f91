import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { homedir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** A broker to be measured. */
export interface Peer {
  readonly name: string;
  /** Starts it anew, with nothing from before, in a directory of its own. */
  start(directory: string): Promise<RunningPeer>;
}

export interface RunningPeer extends AsyncDisposable {
  readonly port: number;
  readonly pid: number;
}

/** Rules such as people have: the topics of the load are granted to everybody, among others that are not asked for. */
const acl = [
  "topic readwrite bench/#",
  "topic read weather/+/now",
  "",
  "user reader",
  "topic read bench/#",
  "",
  "pattern readwrite clients/%c/#",
  "",
].join("\n");

/** As shipped: in flight tracked, persistence on, an ACL file. More connections of one address than by default, for `e`. */
export function fieldpost(main: string): Peer {
  return {
    name: "fieldpost",
    start: (directory) =>
      start(
        directory,
        (port) => {
          const config = {
            store: { path: directory },
            broker: {
              acl_file: join(directory, "acl"),
              limits: { connections_per_address: 2000 },
              listeners: [{ address: "127.0.0.1", port, max_connections: 2000 }],
            },
          };
          writeFileSync(join(directory, "broker.yaml"), JSON.stringify(config));
          return [process.execPath, main, "broker", "--config", join(directory, "broker.yaml")];
        },
        asInstalled,
      ),
  };
}

/** With the same rules and limits; it never writes before it acknowledges, but every half an hour and at its end. */
export function mosquitto(): Peer {
  return {
    name: "mosquitto",
    start: (directory) =>
      start(directory, (port) => {
        const config = [
          `listener ${port} 127.0.0.1`,
          "allow_anonymous true",
          `acl_file ${join(directory, "acl")}`,
          "persistence true",
          `persistence_location ${directory}/`,
          "max_inflight_messages 20",
          "max_queued_messages 1000",
          "set_tcp_nodelay true",
          "user root",
        ];
        writeFileSync(join(directory, "mosquitto.conf"), `${config.join("\n")}\n`);
        return ["mosquitto", "-c", join(directory, "mosquitto.conf")];
      }),
  };
}

/** aedes has neither ACL files nor a persistence of its own: it is measured without. Undefined where it cannot be had. */
export function aedes(): Peer | undefined {
  const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "fieldpost-bench", "aedes-1");
  const entry = join(cache, "node_modules", "aedes", "aedes.js");
  if (!existsSync(entry)) {
    mkdirSync(cache, { recursive: true });
    try {
      execFileSync("npm", ["install", "--prefix", cache, "--no-audit", "--no-fund", "aedes@1"], { stdio: "pipe" });
    } catch {
      return undefined;
    }
  }
  return {
    name: "aedes",
    start: (directory) =>
      start(
        directory,
        (port) => {
          const program = `require(${JSON.stringify(entry)}).Aedes.createBroker().then(({ handle }) =>
          require("net").createServer(handle).listen(${port}, "127.0.0.1"));`;
          return [process.execPath, "-e", program];
        },
        asInstalled,
      ),
  };
}

/** As systemd/fieldpost.service runs Node; for aedes, too. */
const asInstalled = { MALLOC_ARENA_MAX: "2", NODE_OPTIONS: "--max-semi-space-size=2 --v8-pool-size=0" };

async function start(
  directory: string,
  prepare: (port: number) => string[],
  settings: NodeJS.ProcessEnv = {},
): Promise<RunningPeer> {
  const port = await freePort();
  writeFileSync(join(directory, "acl"), acl);
  const [command, ...args] = prepare(port) as [string, ...string[]];
  const output = openSync(join(directory, "log"), "w");
  const env = { ...process.env, ...settings, PATH: `${process.env.PATH}:/usr/sbin`, RUNTIME_DIRECTORY: directory };
  const child = spawn(command, args, { env, stdio: ["ignore", output, output] });
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  child.once("error", () => {});
  await untilListening(child, port, directory);
  return {
    port,
    pid: child.pid as number,
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      await ended;
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

async function untilListening(child: ChildProcess, port: number, directory: string): Promise<void> {
  for (;;) {
    if (child.pid === undefined || child.exitCode !== null)
      throw new Error(`a broker did not start: ${readFileSync(join(directory, "log"), "utf8")}`);
    const isThere = await new Promise<boolean>((resolve) => {
      const socket = connect(port, "127.0.0.1");
      socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
      socket.once("connect", () => socket.end());
    });
    if (isThere) return;
    await sleep(20);
  }
}
