import { expect, test } from "vitest";
import { payloads } from "../../src/config/schema/payloads.ts";
import { quantityOf } from "../../src/core/quantity.ts";
import { channelsOf } from "../../src/drivers/driver.ts";
import { drivers } from "../../src/drivers/registry.ts";
import { startMosquitto } from "../support/mosquitto.ts";
import { startSource } from "./source.ts";
import { pointOf, telegrafConfig } from "./telegraf-model.ts";

const consumers = telegrafConfig().inputs.mqtt_consumer;
const [consumer] = consumers;
if (!consumer) throw new Error("the recipe has no mqtt_consumer");
const [metric] = consumer.json_v2;

test("the recipe for Telegraf keeps a session at QoS 1 on the topic of the readings, and tags what it is of", () => {
  const filter = payloads.readings?.topic.replace("<base>", "fieldpost").replaceAll(/<\w+>/g, "+");
  expect(consumers).toHaveLength(1);
  expect(consumer).toMatchObject({ qos: 1, persistent_session: true, topic_tag: "", data_format: "json_v2" });
  expect(consumer.client_id).not.toBe("");
  expect(consumer.topics).toEqual([filter]);
  // Telegraf refuses them where they are not of one length.
  expect(consumer.topic_parsing).toEqual([{ topic: filter, tags: "_/gateway/device/_" }]);
});

test("names what every reading has by the schema, with a type that fits", () => {
  const shape = (
    payloads.readings!.schema as unknown as {
      shape: Record<string, { safeParse(value: unknown): { success: boolean } }>;
    }
  ).shape;
  const sample = { int: 1, string: "synced", float: 1.5, bool: true, uint: 1 };
  for (const { path, type } of metric?.field ?? [])
    expect(shape[path]?.safeParse(type && sample[type]).success, path).toBe(true);
  for (const path of ["time", "values"]) expect(shape[path]?.safeParse(undefined).success, path).toBe(false);
  expect(metric?.timestamp_path).toBe("time");
  // Go's layout of RFC 3339 with three digits of a second: what `time` always is.
  expect(metric?.timestamp_format).toBe("2006-01-02T15:04:05.000Z07:00");
  expect(shape.time?.safeParse("2006-01-02T15:04:05.000Z").success).toBe(true);
  expect(shape.time?.safeParse("2006-01-02T15:04:05Z").success).toBe(false);
  expect(metric?.object).toEqual([{ path: "values" }]);
});

test("no driver's channel has another driver's kind of value, which InfluxDB would refuse, or the name of a field", () => {
  const kinds = new Map<string, Set<string>>();
  for (const { key, quantity } of drivers.flatMap((driver) => channelsOf(driver.channels))) {
    kinds.set(key, (kinds.get(key) ?? new Set()).add(quantityOf(quantity).kind));
  }
  expect([...kinds].filter(([, of]) => of.size > 1)).toEqual([]);
  for (const { path, rename = path } of metric?.field ?? []) expect([...kinds.keys()]).not.toContain(rename);
});

test("each path leads to a value in what a real gateway publishes, and a reading that comes again is the same point", async () => {
  await using broker = await startMosquitto();
  await using source = await startSource(broker);
  await source.more(12);
  const points = source.messages().map(({ topic, payload }) => pointOf(consumer, topic, payload));
  const climate = points.find(({ tags }) => tags.device === "climate");
  expect(climate).toMatchObject({ measurement: "fieldpost", tags: { gateway: "gw" } });
  expect(Object.keys(climate?.fields ?? {}).toSorted()).toEqual(
    ["temperature", "humidity", "pressure", "reading_clock", "reading_epoch", "reading_seq"].toSorted(),
  );
  const name = ({ tags, timeNs }: (typeof points)[number]) => `${tags.gateway}/${tags.device}@${timeNs}`;
  expect(new Set(points.map(name)).size).toBe(source.names().length);
});
