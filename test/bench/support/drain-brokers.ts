import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { connectAsync } from "mqtt";
import { BrokerProcess } from "./broker-process.ts";

/** A broker that a backlog is drained to. */
export interface BenchBroker extends AsyncDisposable {
  readonly name: string;
  readonly url: string;
}

/** Debian's, without limits of its own on what is in flight. */
export async function startMosquitto(directory: string): Promise<BenchBroker> {
  const port = await freePort();
  const url = `mqtt://127.0.0.1:${port}`;
  const file = join(directory, "mosquitto.conf");
  writeFileSync(file, `listener ${port} 127.0.0.1\nallow_anonymous true\nmax_inflight_messages 0\n`);
  const env = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` };
  const child = spawn("mosquitto", ["-c", file], { stdio: "ignore", env });
  await untilAnswering(url);
  return {
    name: "Mosquitto",
    url,
    async [Symbol.asyncDispose]() {
      child.kill();
      await once(child, "exit");
    },
  };
}

/** Ours, in a process of its own, with its default settings. */
export async function startBundled(): Promise<BenchBroker> {
  const broker = new BrokerProcess("5s");
  await broker.start();
  const url = `mqtt://127.0.0.1:${broker.port}`;
  return { name: "the bundled broker", url, [Symbol.asyncDispose]: () => broker[Symbol.asyncDispose]() };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === "object" && address ? address.port : 0;
}

async function untilAnswering(url: string): Promise<void> {
  for (let n = 0; n < 200; n++) {
    const client = await connectAsync(url, { reconnectPeriod: 0 }).catch(() => undefined);
    await client?.endAsync();
    if (client) return;
    await sleep(50);
  }
  throw new Error(`nobody answers at ${url}`);
}
