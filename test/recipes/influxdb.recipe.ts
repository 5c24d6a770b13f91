import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { freePort, startMosquitto } from "../support/mosquitto.ts";
import { program } from "./program.ts";
import { startSource } from "./source.ts";
import { lineOf, pointOf, telegrafConfig } from "./telegraf-model.ts";

interface Influx extends AsyncDisposable {
  write(lines: string): Promise<void>;
  /** The first row of the answer, time and all. */
  query(text: string): Promise<unknown[]>;
}

/** Debian's InfluxDB 1.x in a directory of its own. */
async function startInflux(): Promise<Influx> {
  const directory = mkdtempSync(join(tmpdir(), "fieldpost-influxdb-"));
  const [http, rpc] = [await freePort(), await freePort()];
  const at = (part: string) => JSON.stringify(join(directory, part));
  writeFileSync(
    join(directory, "influxdb.conf"),
    `reporting-disabled = true
bind-address = "127.0.0.1:${rpc}"
[meta]
  dir = ${at("meta")}
[data]
  dir = ${at("data")}
  wal-dir = ${at("wal")}
[http]
  bind-address = "127.0.0.1:${http}"
`,
  );
  const url = `http://127.0.0.1:${http}`;
  const isUp = () =>
    fetch(`${url}/ping`).then(
      ({ ok }) => ok,
      () => false,
    );
  const server = program(["influxd", "-config", join(directory, "influxdb.conf")], { isReady: isUp });
  await server.start();
  const post = async (path: string, body: string | URLSearchParams) => {
    const answer = await fetch(`${url}${path}`, { method: "POST", body });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${text}`);
    return text;
  };
  const query = async (q: string) => {
    const { results } = JSON.parse(await post("/query?db=fieldpost", new URLSearchParams({ q })));
    return results[0].series?.[0].values[0] ?? [];
  };
  await query("CREATE DATABASE fieldpost");
  return {
    write: async (lines) => void (await post("/write?db=fieldpost&precision=ns", lines)),
    query,
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

test("InfluxDB takes what the recipe makes of real readings, and has each once however often it comes", async () => {
  const [consumer] = telegrafConfig().inputs.mqtt_consumer;
  if (!consumer) throw new Error("the recipe has no mqtt_consumer");
  await using influx = await startInflux();
  await using broker = await startMosquitto();
  await using source = await startSource(broker);
  await source.more(20);
  await source.repeat(10);
  source.gateway.signal("SIGTERM");
  await source.gateway.exited();
  const lines = source.messages().map(({ topic, payload }) => lineOf(pointOf(consumer, topic, payload)));
  for (const part of [lines, lines.slice(-7)]) await influx.write(part.join("\n"));
  const [, count, last] = await influx.query("SELECT COUNT(reading_seq), MAX(reading_seq) FROM fieldpost");
  expect(count).toBe(source.names().length);
  expect(last).toBe(source.names().length);
  const [time, temperature] = await influx.query(
    "SELECT LAST(temperature) FROM fieldpost WHERE gateway = 'gw' AND device = 'climate'",
  );
  const newest = source.messages().findLast(({ topic }) => topic.includes("/climate/"));
  const reading = JSON.parse(newest?.payload ?? "{}");
  expect(temperature).toBe(reading.values.temperature);
  expect(Date.parse(String(time))).toBe(Date.parse(reading.time));
});
