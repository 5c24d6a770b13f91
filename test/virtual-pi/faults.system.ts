import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { configuration, MOSQUITTO_PORT, type ReadingPayload, throughMosquitto, topic } from "./bench.ts";
import { type Gateway, startGateway } from "./gateway.ts";
import { run, warm, wire } from "./guest.ts";
import { bosch280, mild } from "./sensors.ts";
import { type Subscriber, subscribe } from "./subscriber.ts";

const SOON_MS = 60_000;
let gateway: Gateway;
let subscriber: Subscriber;

/** Where the two sensors of the 1-Wire bus fail: bit masks. */
const damage = (fault: "badcrc" | "present", sensors: number) =>
  run(`echo ${sensors} > /sys/module/vw1/parameters/${fault}`);
const now = () => subscriber.messages().length;
const statusOf = (device: string, status: string, from: number) =>
  subscriber.message(topic(`${device}/status`), (payload) => payload === status, SOON_MS, from);
const readingOf = (device: string, from: number) =>
  subscriber.message<ReadingPayload>(topic(`${device}/readings`), () => true, SOON_MS, from);

/** Temperatures of a device among what came since. */
const temperatures = (device: string, from: number): unknown[] =>
  subscriber
    .messages()
    .slice(from)
    .filter((message) => message.topic === topic(`${device}/readings`))
    .map(({ payload }) => (payload as ReadingPayload).values.temperature);

beforeAll(async () => {
  await run("systemctl start mosquitto");
  await wire({ "76": bosch280("60", mild) });
  await warm(0, 21.5);
  await warm(1, -5.25);
  gateway = await startGateway(configuration("/home/pi/data-faults", throughMosquitto));
  subscriber = subscribe(MOSQUITTO_PORT, topic("#"));
  for (const device of ["climate", "flow", "return"]) await readingOf(device, 0);
});

afterAll(async () => {
  await damage("badcrc", 0);
  await damage("present", 3);
  await subscriber?.[Symbol.asyncDispose]();
  await gateway?.[Symbol.asyncDispose]();
  await run("systemctl stop mosquitto; rm -f /run/vi2c.json");
});

describe("a chip that holds the I2C bus", () => {
  test("is offline, stops nobody else, and heals when it lets go", async () => {
    const from = now();
    await wire({ "76": { hang: true } });
    await statusOf("climate", "offline", from);
    const meanwhile = now();
    await readingOf("flow", meanwhile);
    await readingOf("return", meanwhile);
    const after = now();
    await wire({ "76": bosch280("60", mild) });
    await statusOf("climate", "online", after);
  });
});

describe("a DS18B20 whose answers arrive damaged", () => {
  test("is offline alone, nothing damaged becomes a value, and it heals", async () => {
    const from = now();
    await damage("badcrc", 1);
    await statusOf("flow", "offline", from);
    await readingOf("return", now());
    const after = now();
    await damage("badcrc", 0);
    await statusOf("flow", "online", after);
    await readingOf("flow", after);
    expect(new Set(temperatures("flow", from))).toEqual(new Set([21.5]));
    expect(new Set(temperatures("return", from))).toEqual(new Set([-5.25]));
  });
});

describe("a DS18B20 that is unplugged", () => {
  test("is offline alone, and heals when it is plugged in again", async () => {
    const from = now();
    await damage("present", 2);
    await statusOf("flow", "offline", from);
    await readingOf("return", now());
    const after = now();
    await damage("present", 3);
    await statusOf("flow", "online", after);
    expect(new Set(temperatures("flow", from))).toEqual(new Set([21.5]));
  });
});
