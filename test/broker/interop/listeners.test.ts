import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { connectAsync, type IClientOptions, type MqttClient } from "mqtt";
import { describe, expect, test } from "vitest";
import { type Door, type ListenerKind, listenerKinds, openEveryListener } from "../support/every-listener.ts";
import { mosquittoPub, mosquittoRr, mosquittoSub } from "../support/mosquitto-clients.ts";

type Version = 4 | 5;
const versions = [4, 5] as const;
const paho = join(import.meta.dirname, "../support/paho-client.py");

/** What each client does: publishes a retained message, subscribes to `a/+` at QoS 2, and publishes at every QoS. */
type Exchange = (door: Door, version: Version, untilSubscribed: () => Promise<void>) => Promise<readonly string[]>;
const exchanged = ["a/kept retained 1 1", "a/b at 0 0 0", "a/b at 1 1 0", "a/b at 2 2 0"];

function mqttJs({ kind, port, path, caFile }: Door, protocolVersion: Version): Promise<MqttClient> {
  const options: IClientOptions = { protocolVersion, reconnectPeriod: 0, ca: readFileSync(caFile) };
  if (kind === "unix") return connectAsync({ ...options, protocol: "mqtt", unixSocket: true, path });
  return connectAsync(`${kind}://127.0.0.1:${port}`, options);
}

const exchangeOfMqttJs: Exchange = async (door, version) => {
  const client = await mqttJs(door, version);
  const received: string[] = [];
  client.on("message", (topic, payload, { qos, retain }) => received.push(`${topic} ${payload} ${qos} ${+retain}`));
  await client.publishAsync("a/kept", "retained", { qos: 1, retain: true });
  await client.subscribeAsync("a/+", { qos: 2 });
  for (const qos of [0, 1, 2] as const) await client.publishAsync("a/b", `at ${qos}`, { qos });
  await expect.poll(() => received.length).toBe(exchanged.length);
  await client.endAsync();
  return received;
};

/** Where Mosquitto's commands find it; `-h localhost` for the name in the certificate. */
function options({ kind, port, path, caFile }: Door, version: Version): string[] {
  const where =
    kind === "unix" ? ["--unix", path] : ["-h", kind === "mqtts" ? "localhost" : "127.0.0.1", "-p", `${port}`];
  return [...where, ...(kind === "mqtts" ? ["--cafile", caFile] : []), "-V", version === 5 ? "5" : "311"];
}

const exchangeOfMosquitto: Exchange = async (door, version, untilSubscribed) => {
  const to = options(door, version);
  await mosquittoPub(to, "-t", "a/kept", "-m", "retained", "-r", "-q", "1");
  const { lines } = mosquittoSub(to, "-t", "a/+", "-q", "2", "-C", "4", "-F", "%t %p %q %r");
  await untilSubscribed();
  for (const qos of ["0", "1", "2"]) await mosquittoPub(to, "-t", "a/b", "-m", `at ${qos}`, "-q", qos);
  return lines;
};

const exchangeOfPaho: Exchange = async ({ kind, port, caFile }, version) => {
  // Debian's Python: Debian's Paho is for it alone.
  const { stdout } = await promisify(execFile)("/usr/bin/python3", [paho, kind, `${port}`, caFile, `${version}`]);
  return stdout.trim().split("\n");
};

// Mosquitto's commands speak no WebSocket, Paho's 1.x no Unix sockets.
const clients: readonly { name: string; exchange: Exchange; kinds: readonly ListenerKind[] }[] = [
  { name: "mqtt.js", exchange: exchangeOfMqttJs, kinds: listenerKinds },
  { name: "mosquitto_pub and _sub", exchange: exchangeOfMosquitto, kinds: ["mqtt", "mqtts", "unix"] },
  { name: "Paho", exchange: exchangeOfPaho, kinds: ["mqtt", "mqtts", "ws", "wss"] },
];

describe.each(versions)("at protocol level %i", (version) => {
  const cases = clients.flatMap(({ name, exchange, kinds }) => kinds.map((kind) => ({ name, kind, exchange })));
  test.each(cases)("$name exchanges retained and live messages over $kind", async ({ kind, exchange }) => {
    await using every = await openEveryListener();
    const untilSubscribed = () =>
      expect.poll(() => every.broker.broker.stats().subscriptions, { timeout: 10_000 }).toBe(1);
    expect(await exchange(every.door(kind), version, untilSubscribed)).toEqual(exchanged);
  });

  test.each(["mqtt", "mqtts", "unix"] as const)("mosquitto_rr gets a response over %s", async (kind) => {
    await using every = await openEveryListener();
    const responder = await mqttJs(every.door("mqtt"), version);
    await responder.subscribeAsync("request", { qos: 1 });
    responder.on("message", (_topic, payload, { properties }) => {
      const correlation = properties?.correlationData;
      const echo = { properties: correlation === undefined ? {} : { correlationData: correlation } };
      responder.publish(properties?.responseTopic ?? "response", `re: ${payload}`, {
        qos: 1,
        ...(version === 5 && echo),
      });
    });
    const { lines } = mosquittoRr(
      options(every.door(kind), version),
      "-t",
      "request",
      "-e",
      "response",
      "-m",
      "ping",
      "-q",
      "1",
    );
    expect(await lines).toEqual(["re: ping"]);
    await responder.endAsync();
  });
});
