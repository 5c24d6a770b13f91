import { expect, test } from "vitest";
import { collect, retainedOn, startMosquitto, waitFor } from "../support/mosquitto.ts";
import { type Bench, bench, device, healthy, topics } from "./bench.ts";

const d1 = topics.device("d1");

/** Connected, and through with announcing. */
async function settled(one: Bench): Promise<void> {
  await waitFor(() => one.store.ledger.entries.has(topics.health));
}

test("retained topics are cleared, and read again from the broker", async () => {
  await using broker = await startMosquitto();
  await using one = bench({ urls: [broker.url] });
  one.sample("d1", 20);
  await settled(one);
  const all = [d1.status, d1.state, d1.config, "fieldpost/gw1/nothing/here"];
  expect((await one.uplink.retainedAmong(all)).toSorted()).toEqual([d1.config, d1.state, d1.status]);

  await one.uplink.forget("d1");
  await one.uplink.clearRetained(all);
  expect(await one.uplink.retainedAmong(all)).toEqual([]);
  expect((await retainedOn(broker.port, "fieldpost/gw1/d1/#")).length).toBe(0);
});

test("nothing brings a forgotten device's topics back, until it is on the board anew", async () => {
  await using broker = await startMosquitto();
  await using one = bench({ urls: [broker.url], heartbeatMs: 50 });
  await settled(one);
  await one.uplink.forget("d1");
  await one.uplink.clearRetained([d1.status, d1.state, d1.config]);
  one.sample("d1", 21);
  one.board.setHealth("d1", { ...healthy, state: "absent", online: false });
  one.board.remove("d1");
  await using collector = await collect(broker.port, topics.status);
  await waitFor(() => collector.on(topics.status).length >= 4);
  expect(await retainedOn(broker.port, "fieldpost/gw1/d1/#")).toEqual([]);

  one.board.add(device("d1"), healthy);
  await waitFor(async () => (await retainedOn(broker.port, d1.config)).length === 1);
});

test("more topics than fit one subscription are read as well, also under MQTT 3.1.1", async () => {
  await using broker = await startMosquitto();
  await using one = bench({ urls: [broker.url], protocol: "3.1.1" });
  await using collector = await collect(broker.port, "x");
  const many = Array.from({ length: 130 }, (_, index) => `old/${index}`);
  for (const topic of many.slice(60, 125)) await collector.publish(topic, "1", { retain: true });
  await settled(one);
  expect(await one.uplink.retainedAmong(many)).toEqual(many.slice(60, 125));
});

test("without a connection the broker cannot be asked", async () => {
  await using broker = await startMosquitto();
  await broker.stop();
  await using one = bench({ urls: [broker.url] });
  await expect(one.uplink.clearRetained([d1.state])).rejects.toMatchObject({ code: "BROKER_UNREACHABLE" });
  await expect(one.uplink.retainedAmong([d1.state])).rejects.toMatchObject({ code: "BROKER_UNREACHABLE" });
  await expect(one.uplink.publish({ topic: "a", payload: "", qos: 1 })).rejects.toMatchObject({
    code: "BROKER_UNREACHABLE",
  });
});

test("what others want to hear reaches them at every connection, with what an answer needs", async () => {
  await using broker = await startMosquitto();
  const heard: string[] = [];
  const subscription = {
    filter: `${topics.root}+/set`,
    onMessage: ({ topic, payload }: { topic: string; payload: Uint8Array }) =>
      void heard.push(`${topic} ${Buffer.from(payload)}`),
  };
  await using one = bench({ urls: [broker.url] }, { subscriptions: [subscription] });
  await settled(one);
  {
    await using collector = await collect(broker.port, `${topics.root}d1/answer`);
    await collector.publish(`${topics.root}d1/set`, "1");
    await waitFor(() => heard.length === 1);
    await one.uplink.publish({ topic: `${topics.root}d1/answer`, payload: "done", qos: 1 });
    await waitFor(() => collector.on(`${topics.root}d1/answer`).length === 1);
  }
  await broker.stop();
  await waitFor(() => !one.uplink.linkState().connected);
  await broker.start();
  await waitFor(async () => (await retainedOn(broker.port, topics.health)).length > 0);
  await using collector = await collect(broker.port, "x");
  await collector.publish(`${topics.root}d1/set`, "2");
  await waitFor(() => heard.length === 2);
  expect(heard).toEqual([`${topics.root}d1/set 1`, `${topics.root}d1/set 2`]);
});

test("asked to, it announces discovery and states once more", async () => {
  await using broker = await startMosquitto();
  const config = { topic: "homeassistant/device/gw1/d1/config", payload: "{}", device: "d1" };
  await using one = bench({ urls: [broker.url] }, { discovery: () => [config] });
  one.sample("d1", 20);
  await settled(one);
  await using collector = await collect(broker.port, [config.topic, d1.state]);
  await waitFor(() => collector.on(d1.state).length >= 1);
  const [configs, states] = [collector.on(config.topic).length, collector.on(d1.state).length];
  one.uplink.announce();
  await waitFor(() => collector.on(d1.state).length > states);
  expect(collector.on(config.topic).length).toBe(configs + 1);
  const last = collector.messages.map(({ topic }) => topic);
  expect(last.lastIndexOf(d1.state)).toBeGreaterThan(last.lastIndexOf(config.topic));
});
