import { expect, test, vi } from "vitest";
import type { RetainedMessage } from "../../src/core/topics.ts";
import { collect, retainedOn, startMosquitto, waitFor } from "../support/mosquitto.ts";
import { bench, topics } from "./bench.ts";

vi.setConfig({ testTimeout: 120_000 });

const OLD = ["homeassistant/sensor/other/a/config", "homeassistant/switch/other/b/config"];
const config: RetainedMessage = {
  topic: "homeassistant/device/gw1/d1/config",
  payload: '{"components":{}}',
  device: "d1",
  replaces: OLD.map((topic) => ({ topic, payload: "moving" })),
};

test("others are told that their place is taken, then it is, then they are cleared, and nothing of them is left", async () => {
  await using broker = await startMosquitto();
  await using collector = await collect(broker.port, "homeassistant/#");
  for (const topic of OLD) await collector.publish(topic, "of another", { retain: true });
  const replaced: unknown[] = [];
  await using one = bench(
    { urls: [broker.url] },
    { discovery: () => [config], replaced: (...of) => void replaced.push(of) },
  );
  await waitFor(() => replaced.length === OLD.length, "both are replaced");
  expect(
    collector.messages.slice(OLD.length).map(({ topic, payload, retain, qos }) => [topic, payload, retain, qos]),
  ).toEqual([
    ...OLD.map((topic) => [topic, "moving", true, 1]),
    [config.topic, config.payload, true, 1],
    ...OLD.map((topic) => [topic, "", true, 1]),
  ]);
  expect(replaced).toEqual(OLD.map((topic) => [topic, "d1"]));
  expect((await retainedOn(broker.port, "homeassistant/#")).map(({ topic }) => topic)).toEqual([config.topic]);
  const kept = (await one.store.ledger.topics({ device: "d1" })).map(({ topic }) => topic);
  expect(kept).toContain(config.topic);
  expect(kept).not.toContain(OLD[0]);
});

test("nothing is said on another's topic that is not in the ledger yet", async () => {
  await using broker = await startMosquitto();
  await using collector = await collect(broker.port, "homeassistant/#");
  await using one = bench({ urls: [broker.url] }, { discovery: () => [config] });
  const add = one.store.ledger.add.bind(one.store.ledger);
  let release: () => void = () => undefined;
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  let isAsked = false;
  one.store.ledger.add = async (entry) => {
    if (entry.topic === OLD[0]) {
      isAsked = true;
      await released;
    }
    await add(entry);
  };
  await waitFor(() => isAsked, "the ledger is asked");
  // What is published now comes after what went out before it.
  await collector.publish("homeassistant/fence", "");
  await waitFor(() => collector.on("homeassistant/fence").length > 0, "the fence");
  expect(collector.on(OLD[0] ?? "")).toEqual([]);
  release();
  await waitFor(() => collector.on(OLD[0] ?? "").at(-1) === "", "it is cleared");
});

test("a topic that we may not clear counts as not replaced, and is told of", async () => {
  const acl = [
    "topic read #",
    `topic write ${OLD[0]}`,
    "topic write fieldpost/#",
    "topic write homeassistant/device/#",
  ];
  await using broker = await startMosquitto({
    passwords: { gw: "secret", other: "secret" },
    acl: ["user gw", ...acl, "user other", "topic readwrite #"],
  });
  const user = { username: "other", password: "secret" };
  await using collector = await collect(broker.port, "#", user);
  for (const topic of OLD) await collector.publish(topic, "of another", { retain: true });
  const replaced: string[] = [];
  await using one = bench(
    { urls: [broker.url], username: "gw", password: "secret" },
    { discovery: () => [config], replaced: (topic) => void replaced.push(topic) },
  );
  await waitFor(() => collector.on(topics.status).includes("online"), "the announcement is complete");
  expect(replaced).toEqual([OLD[0]]);
  const told = one.log.lines.filter(({ message }) => message.includes("could not be cleared"));
  expect(told.map(({ topic }) => topic)).toEqual([OLD[1]]);
  expect((await retainedOn(broker.port, "homeassistant/switch/#", user)).map(({ payload }) => payload)).toEqual([
    "of another",
  ]);
});

test("a connection that is lost in between begins it again at the next one, and it ends as it should", async () => {
  await using broker = await startMosquitto({ persistence: true });
  await using collector = await collect(broker.port, "homeassistant/#");
  for (const topic of OLD) await collector.publish(topic, "of another", { retain: true });
  const replaced: string[] = [];
  await using one = bench(
    { urls: [broker.url] },
    { discovery: () => [config], replaced: (topic) => void replaced.push(topic) },
  );
  await waitFor(() => OLD.every((topic) => collector.on(topic).at(-1) === "moving"), "both are told");
  await broker.stop();
  await waitFor(() => !one.uplink.linkState().connected, "the loss");
  await broker.start();
  await waitFor(() => replaced.length === OLD.length, "both are replaced");
  expect((await retainedOn(broker.port, "homeassistant/#")).map(({ topic }) => topic)).toEqual([config.topic]);
  expect((await one.store.ledger.topics({ device: "d1" })).some(({ topic }) => OLD.includes(topic))).toBe(false);
});
