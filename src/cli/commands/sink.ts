import { resolve } from "node:path";
import { loadConfig } from "../../config/load.ts";
import type { Config } from "../../config/schema/config.ts";
import { GatewayError } from "../../core/errors.ts";
import { linuxClock } from "../../hardware/clock.ts";
import { createLog, logStyle } from "../../service/log.ts";
import { Sink, type SinkOptions, type SinkState } from "../../sink/sink.ts";
import { sinkOptions } from "../../wiring/options.ts";
import { type Command, EXIT, type Invocation } from "../command.ts";

const STATUS_MS = 10_000;
const NAME = /^[a-z0-9_-]{1,64}$/;

export const sink: Command = {
  name: "sink",
  summary:
    "store all readings of a broker in an SQLite database, confirm them, and ask for what is missing, until SIGTERM",
  options: [
    { flags: "--url <url>", about: "the broker, as in `mqtt.url`; by default what the configuration's gateway uses" },
    {
      flags: "--username <name>",
      about: "at the broker; its password is in the environment variable FIELDPOST_SINK_PASSWORD",
    },
    { flags: "--database <file>", about: "where to store them, default fieldpost-sink.db" },
    {
      flags: "--consumer <name>",
      about: "its name in the gateways' `mqtt.consumers`, default the first of the configuration, else sink",
    },
    { flags: "--gateway <id>", about: "only this gateway's readings" },
    { flags: "--base-topic <topic>", about: "with --url, default fieldpost" },
  ],
  printsData: true,
  example: "fieldpost sink --url mqtt://broker.example.org --consumer archive --database archive.db",
  async run(invocation) {
    const { io, json } = invocation;
    const options = await optionsOf(invocation);
    const clock = linuxClock();
    const log = createLog(logStyle(io.env), "info", (line) => io.err(line));
    await using opened = await Sink.open(options, { clock, random: Math.random, log });
    if (!json) io.out(`fieldpost sink is running: ${options.consumer}, into ${options.database}\n`);
    const stop = new AbortController();
    const running = opened.run(AbortSignal.any([io.signal, stop.signal]));
    const telling = tell(opened, json, io.out, stop.signal);
    try {
      await running;
    } finally {
      stop.abort();
      await telling;
    }
    io.out(rendered(await opened.state(), json));
    return EXIT.ok;
  },
};

/** A line when something has changed, every ten seconds at most. */
async function tell(opened: Sink, json: boolean, out: (text: string) => void, signal: AbortSignal): Promise<void> {
  const clock = linuxClock();
  let told = "";
  while (!signal.aborted) {
    const text = rendered(await opened.state(), json);
    if (text !== told) out(text);
    told = text;
    await clock.sleep(STATUS_MS, signal).catch(() => {});
  }
}

function rendered(state: SinkState, json: boolean): string {
  if (json) return `${JSON.stringify(state)}\n`;
  const where = `${state.connected ? "connected to" : "no connection to"} ${state.url}`;
  const gateways = state.gateways.map(({ gateway, epoch, seq, hole, readings, lost }) => {
    const missing = hole ? `, waiting for ${hole.from} to ${hole.to ?? "the end of this epoch"}` : "";
    return `  ${gateway}: ${readings} readings, complete to ${epoch}/${seq}${missing}; ${lost} known to be lost`;
  });
  return `${[where, ...gateways].join("\n")}\n`;
}

async function optionsOf({ options, configFile, io }: Invocation): Promise<SinkOptions> {
  const text = (key: string) => (typeof options[key] === "string" ? options[key] : undefined);
  const url = text("url");
  const config = url === undefined ? await readConfig(configFile, io.env) : undefined;
  const consumer = text("consumer") ?? config?.mqtt.consumers[0] ?? "sink";
  if (!NAME.test(consumer)) {
    throw new GatewayError("USAGE_INVALID", `${consumer} is no consumer's name: a to z, 0 to 9, _ and -`);
  }
  const [gateway, username, password] = [text("gateway"), text("username"), io.env.FIELDPOST_SINK_PASSWORD];
  return {
    ...(config
      ? sinkOptions(config)
      : { urls: [url ?? ""], protocol: "auto", baseTopic: text("baseTopic") ?? "fieldpost" }),
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...(gateway !== undefined && { gateway }),
    consumer,
    database: resolve(text("database") ?? "fieldpost-sink.db"),
  };
}

async function readConfig(file: string, env: NodeJS.ProcessEnv): Promise<Config> {
  return (await loadConfig(file, { missingFiles: "error", env })).config;
}
