import mqtt from "mqtt";
import { describe, expect, test } from "vitest";
import { GatewayError } from "../../src/core/errors.ts";
import { parseCommand } from "../../src/uplink/requests/command-payload.ts";
import type { CommandHandler } from "../../src/uplink/requests/commands.ts";
import { collect, retainedOn, startMosquitto, waitFor } from "../support/mosquitto.ts";
import { bench, topics } from "./bench.ts";

const { set, channelSet } = topics.device("pump");

/** Who keeps what it is told to do. */
function recorder() {
  const heard: unknown[] = [];
  const commands: CommandHandler = async (...command) => void heard.push(command);
  return { heard, commands };
}

describe.each(["5", "3.1.1"] as const)("over MQTT %s", (protocol) => {
  test("commands reach their device, with and without a channel", async () => {
    await using broker = await startMosquitto();
    const { heard, commands } = recorder();
    await using one = bench({ urls: [broker.url], protocol }, { commands });
    await using controller = await collect(broker.port, topics.status);
    await waitFor(() => controller.on(topics.status).includes("online"));
    await controller.publish(set, "ON");
    await controller.publish(channelSet("state"), '{"state": "off", "for": "30s"}');
    await waitFor(() => heard.length === 2);
    expect(heard).toEqual([
      ["pump", undefined, { on: true }],
      ["pump", "state", { on: false, forMs: 30_000 }],
    ]);
    expect(one.log.lines.filter(({ message }) => message.includes("refused"))).toEqual([]);
  });

  test("a command that was retained before is refused, and cleared", async () => {
    await using broker = await startMosquitto();
    await using controller = await collect(broker.port, topics.status);
    await controller.publish(set, "ON", { retain: true });
    const { heard, commands } = recorder();
    await using one = bench({ urls: [broker.url], protocol }, { commands });
    await waitFor(async () => (await retainedOn(broker.port, set)).length === 0);
    expect(one.log.lines).toContainEqual(
      expect.objectContaining({ message: "a command was refused", topic: set, code: "COMMAND_REFUSED" }),
    );
    await controller.publish(set, "OFF");
    await waitFor(() => heard.length > 0);
    expect(heard).toEqual([["pump", undefined, { on: false }]]);
  });
});

test("a command that comes live, to be retained, is refused and cleared under MQTT 5", async () => {
  await using broker = await startMosquitto();
  const { heard, commands } = recorder();
  await using _one = bench({ urls: [broker.url], protocol: "5" }, { commands });
  await using controller = await collect(broker.port, topics.status);
  await waitFor(() => controller.on(topics.status).includes("online"));
  await controller.publish(set, "ON", { retain: true });
  await waitFor(async () => (await retainedOn(broker.port, set)).length === 0);
  await controller.publish(set, "OFF");
  await waitFor(() => heard.length > 0);
  expect(heard).toEqual([["pump", undefined, { on: false }]]);
});

test("whoever names a response topic is told what became of it", async () => {
  await using broker = await startMosquitto();
  const commands: CommandHandler = async (device) => {
    if (device !== "pump") throw new GatewayError("DEVICE_UNKNOWN", `there is no device "${device}"`);
  };
  await using _one = bench({ urls: [broker.url], protocol: "5" }, { commands });
  await using controller = await collect(broker.port, ["answers", topics.status]);
  await waitFor(() => controller.on(topics.status).includes("online"));
  const client = await mqtt.connectAsync(broker.url, { protocolVersion: 5 });
  const properties = { responseTopic: "answers", correlationData: Buffer.from("7") };
  const asked: [string, string][] = [
    [set, "on"],
    [set, "perhaps"],
    [topics.device("lamp").set, "on"],
  ];
  for (const [topic, payload] of asked) {
    const before = controller.on("answers").length;
    await client.publishAsync(topic, payload, { qos: 1, properties });
    await waitFor(() => controller.on("answers").length > before);
  }
  await client.endAsync();
  expect(controller.on("answers").map((payload) => JSON.parse(payload))).toEqual([
    { ok: true },
    { ok: false, error: { code: "COMMAND_INVALID", message: expect.stringContaining('"perhaps"') } },
    { ok: false, error: { code: "DEVICE_UNKNOWN", message: 'there is no device "lamp"' } },
  ]);
});

describe("a command's payload", () => {
  const parsed = (text: string) => parseCommand(Buffer.from(text));

  test("an offset is a number of either sign, or reset", () => {
    expect(["-0.4", "Reset", '{"value":-1.5}'].map(parsed)).toEqual([
      { value: -0.4 },
      { reset: true },
      { value: -1.5 },
    ]);
  });

  test.each([
    ["ON", { on: true }],
    [" off\n", { on: false }],
    ["true", { on: true }],
    ["0", { on: false, value: 0 }],
    ["1", { on: true, value: 1 }],
    ["1234.5", { value: 1234.5 }],
    [" -3 ", { value: -3 }],
    ['{"value":0.25,"for":"1m"}', { value: 0.25, forMs: 60_000 }],
    ["Toggle", { on: "toggle" }],
    ['{"state":"ON"}', { on: true }],
    ['{"state":true,"for":"1m"}', { on: true, forMs: 60_000 }],
    ['{"state":"on","for":1500}', { on: true, forMs: 1500 }],
    ['{"state":"on","time":"2026-05-01T10:00:00Z"}', { on: true, atMs: 1_777_629_600_000 }],
    ['{"state":"on","time":1777629600000}', { on: true, atMs: 1_777_629_600_000 }],
  ])("%s is taken", (text, command) => {
    expect(parsed(text)).toEqual(command);
  });

  test.each([
    "maybe",
    "{}",
    "[]",
    "null",
    '{"state":"maybe"}',
    '{"state":"on","value":1}',
    '{"value":"1"}',
    '{"value":null}',
    '{"value":1e999}',
    "1e999",
    "0x10",
    "1.",
    "NaN",
    "1 2",
    '{"state":"on","for":"soon"}',
    '{"state":"on","for":-1}',
    '{"state":"on","for":"8d"}',
    '{"state":"on","time":"then"}',
    '{"state":"on","until":"noon"}',
    "constructor",
    '{"state":{"toString":1}}',
    `"${"x".repeat(2000)}"`,
  ])("%s is refused", (text) => {
    expect(() => parsed(text)).toThrow(expect.objectContaining({ code: "COMMAND_INVALID" }));
  });
});
