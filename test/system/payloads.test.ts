import { expect, test } from "vitest";
import { payloads } from "../../src/config/schema/payloads.ts";
import { createGateway } from "../support/gateway.ts";
import { type Collector, collect, freePort, startMosquitto, waitFor } from "../support/mosquitto.ts";

const DEVICES = `devices:
  - { id: climate, driver: bme280, bus: sim, interval: 1s }
  - { id: particles, driver: sps30, bus: sim, interval: 2s }
  - { id: door, driver: digital-input, bus: sim, pin: 17, interval: 1s, device_class: door }
  - { id: pump, driver: digital-output, bus: sim, pin: 27 }
  - { id: bell, driver: button, bus: sim, pin: 22 }
  - { id: nothing, driver: sht4x, bus: i2c-97 }
  - { id: pi, driver: host, interval: 1s }
`;

const patterns = Object.entries(payloads).map(([name, { topic, ...payload }]) => {
  const source = topic.replace("<base>/<gw>", "fieldpost/gw").replaceAll(/<\w+>/g, "[^/]+");
  return { name, pattern: new RegExp(`^${source}$`), ...payload };
});

/** What is wrong with what was published, by topic; and of which kinds there was something. */
function judged({ messages }: Collector): { readonly wrong: string[]; readonly kinds: Set<string> } {
  const kinds = new Set<string>();
  // Round trips that the gateway makes to itself are nobody else's.
  const told = messages.filter(({ topic }) => !topic.startsWith("fieldpost/gw/response/fence-"));
  const wrong = told.flatMap(({ topic, payload }) => {
    const known = patterns.find(({ pattern }) => pattern.test(topic));
    if (known === undefined) return [`${topic}: no schema`];
    kinds.add(known.name);
    const value = known.form === "text" ? payload : JSON.parse(payload.startsWith("{") ? payload : `"${payload}"`);
    const { error } = known.schema.safeParse(value);
    return error ? [`${topic} ${payload}: ${error.message}`] : [];
  });
  return { wrong, kinds };
}

async function published(port: number, more: string) {
  await using gateway = createGateway();
  gateway.configure(`gateway: { id: gw, name: Test, area: Lab }\n${more}${DEVICES}`);
  await gateway.run();
  await using collector = await collect(port, "fieldpost/#");
  await waitFor(() => collector.on("fieldpost/gw/pi/readings").length > 1, "readings", 30_000);
  await collector.publish("fieldpost/gw/pump/output/set", '{"state": "on", "for": "1s"}');
  await collector.publish("fieldpost/gw/request/replay", '{"epoch": 1, "from": 1, "to": 3}');
  await collector.publish("fieldpost/gw/request/replay", '{"epoch": 99, "from": 1}');
  await collector.publish("fieldpost/gw/ack/archive", '{"epoch": 1, "seq": 1}');
  const responses = () => collector.on("fieldpost/gw/response/replay").length;
  await waitFor(() => responses() === 2, "answers", 30_000);
  const failing = () => collector.on("fieldpost/gw/health").some((payload) => payload.includes('"device":"nothing"'));
  await waitFor(failing, "a fault in health", 60_000);
  const health = JSON.parse(collector.on("fieldpost/gw/health").at(-1) ?? "{}");
  return { ...judged(collector), consumers: Object.keys(health.consumers ?? {}) };
}

const HISTORY = 'home_assistant: { history: { url: "http://127.0.0.1:1", token: none } }\n';
const always = "ack config device_status health info readings request_replay response_replay set state status";

test("all that a gateway with its own broker publishes fits its schema", async () => {
  const port = await freePort();
  const { wrong, kinds } = await published(
    port,
    `broker: { listeners: [ { port: ${port}, allow_anonymous: true } ] }\n`,
  );
  expect(wrong).toEqual([]);
  // The simulated button is pressed now and then, so there may be events too.
  expect(always.split(" ").filter((kind) => !kinds.has(kind))).toEqual([]);
}, 150_000);

test("and with Mosquitto, with a consumer that sends receipts, and with gaps filled in Home Assistant", async () => {
  await using broker = await startMosquitto();
  const { wrong, consumers } = await published(
    broker.port,
    `mqtt: { url: ${broker.url}, consumers: [ archive ] }\n${HISTORY}`,
  );
  expect(wrong).toEqual([]);
  expect(consumers).toEqual(["archive"]);
}, 150_000);
