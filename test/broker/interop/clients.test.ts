import { connect, connectAsync, type IClientOptions, type MqttClient } from "mqtt";
import { describe, expect, test } from "vitest";
import { openTestBroker, type TestBroker } from "../support/broker.ts";
import { mosquittoPub, mosquittoSub } from "../support/mosquitto-clients.ts";

const versions = [4, 5] as const;

async function join(broker: TestBroker, protocolVersion: 4 | 5, options: IClientOptions = {}): Promise<MqttClient> {
  return connectAsync(`mqtt://127.0.0.1:${broker.port}`, { protocolVersion, reconnectPeriod: 0, ...options });
}

function nextMessage(client: MqttClient): Promise<{ topic: string; payload: string; retain: boolean }> {
  return new Promise((resolve) => {
    client.once("message", (topic, payload, { retain }) => resolve({ topic, payload: payload.toString(), retain }));
  });
}

describe.each(versions)("mqtt.js (protocol level %i)", (version) => {
  test.each([0, 1, 2] as const)("exchanges messages at QoS %i", async (qos) => {
    await using broker = await openTestBroker();
    const client = await join(broker, version);
    await client.subscribeAsync("a/+/#", { qos });
    const received: string[] = [];
    client.on("message", (topic, payload, packet) => received.push(`${topic} ${payload} ${packet.qos}`));
    const count = qos === 2 ? 20 : 100;
    const numbers = Array.from({ length: count }, (_, i) => i);
    const publish = (i: number) => client.publishAsync(`a/b/${i}`, `${i}`, { qos });
    // mqtt.js does not keep within the broker's receive maximum by itself.
    if (qos === 2) for (const i of numbers) await publish(i);
    else await Promise.all(numbers.map(publish));
    await expect.poll(() => received.length).toBe(count);
    expect(received).toEqual(numbers.map((i) => `a/b/${i} ${i} ${qos}`));
    await client.endAsync();
  });

  test("gets retained messages and wills", async () => {
    await using broker = await openTestBroker();
    const watcher = await join(broker, version);
    const dying = await join(broker, version, {
      will: { topic: "status", payload: Buffer.from("offline"), qos: 1, retain: true },
    });
    await dying.publishAsync("status", "online", { qos: 1, retain: true });
    const first = nextMessage(watcher);
    await watcher.subscribeAsync("status");
    expect(await first).toEqual({ topic: "status", payload: "online", retain: true });
    const second = nextMessage(watcher);
    dying.stream.destroy();
    expect(await second).toEqual({ topic: "status", payload: "offline", retain: false });
    await watcher.endAsync();
  });

  test("resumes a session", async () => {
    await using broker = await openTestBroker();
    const keep: IClientOptions = {
      clientId: "keeper",
      clean: false,
      ...(version === 5 && { properties: { sessionExpiryInterval: 100 } }),
    };
    const first = await join(broker, version, keep);
    await first.subscribeAsync("a", { qos: 1 });
    await first.endAsync();
    const publisher = await join(broker, version);
    await publisher.publishAsync("a", "kept", { qos: 1 });
    await publisher.endAsync();
    const again = connect(`mqtt://127.0.0.1:${broker.port}`, { protocolVersion: version, ...keep });
    expect(await nextMessage(again)).toMatchObject({ payload: "kept" });
    await again.endAsync();
  });
});

const to = ({ port }: TestBroker) => ["-h", "127.0.0.1", "-p", `${port}`];

async function subscribed(broker: TestBroker, count: number): Promise<void> {
  await expect.poll(() => broker.broker.stats().subscriptions, { timeout: 10_000 }).toBe(count);
}

describe.each(["311", "5"])("Mosquitto's clients (-V %s)", (version) => {
  test("exchange messages at every QoS, by wildcard, retained ones first", async () => {
    await using broker = await openTestBroker();
    await mosquittoPub(to(broker), "-V", version, "-t", "a/kept", "-m", "retained", "-r", "-q", "1");
    const { lines } = mosquittoSub(to(broker), "-V", version, "-t", "a/+", "-q", "2", "-C", "4", "-F", "%t %p %q %r");
    await subscribed(broker, 1);
    for (const qos of ["0", "1", "2"])
      await mosquittoPub(to(broker), "-V", version, "-t", "a/b", "-m", `at ${qos}`, "-q", qos);
    expect(await lines).toEqual(["a/kept retained 1 1", "a/b at 0 0 0", "a/b at 1 1 0", "a/b at 2 2 0"]);
  });

  test("publish their will when they are killed", async () => {
    await using broker = await openTestBroker();
    const { lines } = mosquittoSub(to(broker), "-V", version, "-t", "will/#", "-C", "1", "-v");
    await subscribed(broker, 1);
    const dying = mosquittoSub(
      to(broker),
      "-V",
      version,
      "-t",
      "x",
      "--will-topic",
      "will/t",
      "--will-payload",
      "gone",
    );
    await subscribed(broker, 2);
    dying.child.kill("SIGKILL");
    expect(await lines).toEqual(["will/t gone"]);
  });
});

test("Mosquitto's clients get the properties of MQTT 5.0", async () => {
  await using broker = await openTestBroker();
  const format = "%A %C %D %E %P %R %p";
  const { lines } = mosquittoSub(to(broker), "-V", "5", "-t", "a", "-C", "1", "-F", format);
  await subscribed(broker, 1);
  const property = (name: string, ...value: string[]) => ["-D", "publish", name, ...value];
  await mosquittoPub(
    to(broker),
    ...["-V", "5", "-t", "a", "-m", "x"],
    ...property("content-type", "text/plain"),
    ...property("correlation-data", "cd"),
    ...property("message-expiry-interval", "60"),
    ...property("user-property", "k", "v"),
    ...property("response-topic", "back"),
  );
  const [line] = await lines;
  expect(line).toContain("text/plain cd 60 k:v back x");
});
