import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  BUNDLED_PORT,
  configuration,
  MOSQUITTO_PORT,
  missing,
  type ReadingPayload,
  throughBundled,
  throughMosquitto,
  topic,
} from "./bench.ts";
import { type Gateway, startGateway } from "./gateway.ts";
import { drive, run, warm, wire } from "./guest.ts";
import { bosch280, type Climate, closeTo, hot, kernelClimate, mild } from "./sensors.ts";
import { retained, type Subscriber, subscribe } from "./subscriber.ts";

const SOON_MS = 60_000;
const brokers = [
  { name: "the bundled broker", port: BUNDLED_PORT, broker: throughBundled },
  { name: "Debian's Mosquitto", port: MOSQUITTO_PORT, broker: throughMosquitto },
];

/** The kernel's own driver is the judge of what the registers mean. */
const judged = { mild: {} as Climate, hot: {} as Climate };

beforeAll(async () => {
  await run("systemctl start mosquitto");
  await wire({ "76": bosch280("60", mild) });
  judged.mild = await kernelClimate("bme280");
  await wire({ "76": bosch280("60", hot) });
  judged.hot = await kernelClimate("bme280");
});

afterAll(async () => {
  await run("systemctl stop mosquitto; rm -f /run/vi2c.json; vpi gpio 17 0");
});

describe.each(brokers)("a gateway started by the user pi, through $name", ({ name, port, broker }) => {
  let gateway: Gateway;
  let subscriber: Subscriber;

  beforeAll(async () => {
    await wire({ "76": bosch280("60", mild) });
    await warm(0, 21.5);
    await warm(1, -5.25);
    await drive(17, 0);
    gateway = await startGateway(configuration(`/home/pi/data-${port}`, broker));
    subscriber = subscribe(port, topic("#"));
  });

  afterAll(async () => {
    await subscriber?.[Symbol.asyncDispose]();
    await gateway?.[Symbol.asyncDispose]();
  });

  test("publishes what the BME280 on /dev/i2c-1 measures, as the kernel's driver reads it", async () => {
    await subscriber.message<Climate>(topic("climate/state"), (state) => closeTo(judged.mild, state), SOON_MS);
  });

  test("publishes both DS18B20 behind w1_therm, each under its own id", async () => {
    const is = (celsius: number) => (state: Climate) => state.temperature === celsius;
    await subscriber.message(topic("flow/state"), is(21.5), SOON_MS);
    await subscriber.message(topic("return/state"), is(-5.25), SOON_MS);
  });

  test("publishes a register that changes, and a temperature that changes", async () => {
    const from = subscriber.messages().length;
    await wire({ "76": bosch280("60", hot) });
    await warm(0, 48.125);
    await subscriber.message<Climate>(topic("climate/state"), (state) => closeTo(judged.hot, state), SOON_MS, from);
    await subscriber.message<Climate>(
      topic("flow/state"),
      (state) => Math.abs(state.temperature - 48.125) < 0.01,
      SOON_MS,
      from,
    );
  });

  test("publishes an edge of GPIO 17 as it happens, both ways", async () => {
    await subscriber.message<{ state: boolean }>(topic("door/state"), ({ state }) => state === false, SOON_MS);
    for (const level of [1, 0] as const) {
      const from = subscriber.messages().length;
      await drive(17, level);
      // A third of the device's interval: it was the edge, not the next look.
      await subscriber.message<{ state: boolean }>(
        topic("door/state"),
        ({ state }) => state === (level === 1),
        10_000,
        from,
      );
    }
  });

  test("says that a chip does not answer any more, and why; plugged in again, it heals", async () => {
    const before = subscriber.messages().length;
    await wire({ "76": { nak: true } });
    await subscriber.message(topic("climate/status"), (status) => status === "offline", 60_000, before);
    interface Health {
      readonly devices: Readonly<Record<string, { readonly reason?: string }>>;
    }
    const gone = ({ devices }: Health) => devices.climate?.reason?.includes("0x76") === true;
    await subscriber.message<Health>(topic("health"), gone, SOON_MS, before);

    const after = subscriber.messages().length;
    await wire({ "76": bosch280("60", mild) });
    await subscriber.message(topic("climate/status"), (status) => status === "online", 60_000, after);
    await subscriber.message<Climate>(topic("climate/state"), (state) => closeTo(judged.mild, state), SOON_MS, after);
  });

  test("has numbered its readings without a gap", () => {
    const readings = subscriber
      .messages()
      .filter(({ topic: of, retained: old }) => of.endsWith("/readings") && !old)
      .map(({ payload }) => payload as ReadingPayload);
    expect(readings.length).toBeGreaterThan(10);
    expect(missing(readings)).toEqual([]);
  });

  test("ends at a SIGTERM and leaves `offline`", async () => {
    const from = subscriber.messages().length;
    await gateway.stop();
    await subscriber.message(topic("status"), (status) => status === "offline", SOON_MS, from);
    if (name === "Debian's Mosquitto") {
      expect((await retained(port, topic("status"))).get(topic("status"))).toBe("offline");
    }
  });
});
