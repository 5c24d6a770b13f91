import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { configuration, devices, MOSQUITTO_PORT, type ReadingPayload, throughMosquitto, topic } from "./bench.ts";
import { type Gateway, startGateway } from "./gateway.ts";
import { type ChipModel, run, warm, wire } from "./guest.ts";
import { bosch280, mild } from "./sensors.ts";
import { type Subscriber, subscribe } from "./subscriber.ts";

const SOON_MS = 120_000;
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

/** 25 °C and 50 %, each word with its CRC, and a serial number (SHT4x datasheet, §4.4 to §4.6). */
const air: ChipModel = { cmds: { fd: "6666938000a2", "89": "beef92beef92", "*": "000081" } };
const damaged: ChipModel = { cmds: { ...air.cmds, fd: "6666948000a2" } };
const slow = (delayMs: number): ChipModel => ({ ...air, delayMs });

interface Health {
  readonly devices: Readonly<Record<string, { readonly state: string; readonly code?: string }>>;
}
const healthOf = (device: string, code: string, from: number) =>
  subscriber.message<Health>(topic("health"), (health) => health.devices[device]?.code === code, SOON_MS, from);

/** Temperatures of a device among what came since. */
const temperatures = (device: string, from: number): unknown[] =>
  subscriber
    .messages()
    .slice(from)
    .filter((message) => message.topic === topic(`${device}/readings`))
    .map(({ payload }) => (payload as ReadingPayload).values.temperature);

const sound = { "76": bosch280("60", mild), "44": air };

beforeAll(async () => {
  await run("systemctl start mosquitto");
  await wire(sound);
  await warm(0, 21.5);
  await warm(1, -5.25);
  const wanted = [...devices, { id: "air", driver: "sht4x", bus: "i2c-1", address: 0x44, interval: "1s" }];
  gateway = await startGateway(configuration("/home/pi/data-faults", throughMosquitto, wanted));
  subscriber = subscribe(MOSQUITTO_PORT, topic("#"));
  for (const device of ["climate", "flow", "return", "air"]) await readingOf(device, 0);
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
    await wire({ ...sound, "76": { hang: true } });
    await statusOf("climate", "offline", from);
    const meanwhile = now();
    await readingOf("flow", meanwhile);
    await readingOf("return", meanwhile);
    const after = now();
    await wire(sound);
    await statusOf("climate", "online", after);
  });
});

describe("a chip on I2C", () => {
  test.each<[string, string, Record<string, ChipModel>]>([
    ["that refuses its address", "BUS_NACK", { "44": { nak: true } }],
    ["that is unplugged", "BUS_NACK", {}],
    ["that answers with a wrong checksum", "CHECKSUM", { "44": damaged }],
    ["that holds the clock for longer than the adapter waits", "BUS_TIMEOUT", { "44": slow(1500) }],
    ["whose adapter fails", "BUS_IO", { "44": { ...air, err: 5 } }],
  ])("%s is at fault with %s, gives no false value, and heals", async (_what, code, chips) => {
    const from = now();
    await wire({ "76": sound["76"], ...chips });
    await healthOf("air", code, from);
    await statusOf("air", "offline", from);
    await readingOf("climate", now());
    const after = now();
    await wire(sound);
    await statusOf("air", "online", after);
    await readingOf("air", after);
    expect(new Set(temperatures("air", from))).toEqual(new Set([25]));
  });

  test.each<[string, ChipModel]>([
    ["is slow within what the adapter waits", slow(100)],
    ["fails now and then", { ...air, failEvery: 5 }],
  ])("that %s gives what it measures, and nothing else", async (_what, chip) => {
    const from = now();
    await wire({ ...sound, "44": chip });
    for (let reading = 0; reading < 10; reading++) await readingOf("air", now());
    expect(new Set(temperatures("air", from))).toEqual(new Set([25]));
    await wire(sound);
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
    await readingOf("flow", after);
    expect(new Set(temperatures("flow", from))).toEqual(new Set([21.5]));
  });
});
