import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { waitsForClock } from "../../src/uplink/backlog/hold.ts";
import { Pace } from "../../src/uplink/backlog/pace.ts";
import { canBeTheMessage, verdictOf } from "../../src/uplink/backlog/verdict.ts";
import { reconnectDelayMs, slowDelayMs } from "../../src/uplink/backoff.ts";
import { parseAddress } from "../../src/uplink/client/address.ts";
import { Gate } from "../../src/uplink/client/gate.ts";
import { Dialer } from "../../src/uplink/dialer.ts";
import { Latest } from "../../src/uplink/live/latest.ts";
import { matches } from "../../src/uplink/topic-filter.ts";
import { FakeClock } from "../fakes/clock.ts";

const range = { minMs: 1000, maxMs: 60_000 };

describe("the pause before the next attempt", () => {
  test("it doubles its ceiling up to a minute, and falls anywhere below", () => {
    const highest = (attempt: number) => Math.round(reconnectDelayMs(attempt, () => 1, range));
    expect([0, 1, 2, 3, 4, 5, 6].map(highest)).toEqual([2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000]);
    expect(reconnectDelayMs(9, () => 0, range)).toBe(1000);
  });

  test("no attempt and no chance leads out of one second to one minute", () => {
    fc.assert(
      fc.property(fc.nat(), fc.double({ min: 0, max: 1, noNaN: true }), (attempt, chance) => {
        const delayMs = reconnectDelayMs(attempt, () => chance, range);
        expect(delayMs).toBeGreaterThanOrEqual(1000);
        expect(delayMs).toBeLessThanOrEqual(60_000);
      }),
    );
  });

  test("for refused credentials it is half a minute at least", () => {
    expect([slowDelayMs(() => 0, range), slowDelayMs(() => 1, range)]).toEqual([30_000, 60_000]);
  });
});

describe("which address is next", () => {
  const two = () => new Dialer({ urls: ["mqtt://a", "mqtt://b"], protocol: "auto" });

  test("every address is tried before there is a pause, and one that was reached is kept", () => {
    const dialer = two();
    expect(dialer.refused("unreachable")).toBe("next");
    expect(dialer.target().url).toBe("mqtt://b");
    expect(dialer.refused("unreachable")).toBe("wait");
    expect(dialer.refused("unreachable")).toBe("next");
    dialer.connected();
    expect(dialer.target().url).toBe("mqtt://b");
  });

  test("a broker that was reached with MQTT 5 is not suspected of 3.1.1 when it is silent later", () => {
    const dialer = new Dialer({ urls: ["mqtt://a"], protocol: "auto" });
    dialer.connected();
    for (let count = 0; count < 10; count++) dialer.refused("silent");
    expect(dialer.target().protocol).toBe("5");
  });

  test("silence changes the protocol after three times, and back after three more", () => {
    const dialer = new Dialer({ urls: ["mqtt://a"], protocol: "auto" });
    const seen = Array.from({ length: 7 }, () => {
      const { protocol } = dialer.target();
      dialer.refused("silent");
      return protocol;
    });
    expect(seen).toEqual(["5", "5", "5", "3.1.1", "3.1.1", "3.1.1", "5"]);
  });
});

describe("an address", () => {
  test.each([
    ["mqtt://broker", "mqtt://broker:1883"],
    ["mqtts://ann:secret@broker.example.org", "mqtts://broker.example.org:8883"],
    ["ws://broker/mqtt", "ws://broker:80/mqtt"],
    ["wss://broker:8443/a/b?x=1", "wss://broker:8443/a/b"],
    ["mqtt://[::1]:1884", "mqtt://[::1]:1884"],
    ["unix:/run/broker.sock", "unix:/run/broker.sock"],
    ["unix:///run/broker.sock", "unix:/run/broker.sock"],
  ])("%s is shown as %s", (url, shown) => {
    expect(parseAddress(url).shown).toBe(shown);
  });

  test("its parts are decoded", () => {
    expect(parseAddress("mqtts://a%40b:p%3Aw@[fe80::1]:99")).toMatchObject({
      host: "fe80::1",
      port: 99,
      username: "a@b",
      password: "p:w",
    });
  });

  test.each(["broker:1883", "http://broker", "not a url"])("%s is none", (url) => {
    expect(() => parseAddress(url)).toThrow(expect.objectContaining({ code: "CONFIG_INVALID" }));
  });
});

test("the gate lets in so many, and urgent ones before the others", () => {
  const gate = new Gate(2);
  const inside: string[] = [];
  for (const [name, urgent] of [
    ["a", false],
    ["b", false],
    ["c", false],
    ["d", true],
    ["e", true],
  ] as const) {
    gate.enter(urgent, () => inside.push(name));
  }
  expect(inside).toEqual(["a", "b"]);
  gate.leave();
  gate.leave();
  gate.leave();
  expect(inside).toEqual(["a", "b", "d", "e", "c"]);
});

describe("only the newest counts", () => {
  test("what comes while one is under way becomes one", async () => {
    const failures: unknown[] = [];
    const latest = new Latest((error) => failures.push(error));
    const sent: number[] = [];
    let release = () => {};
    const send = (value: number) => async () => {
      sent.push(value);
      await new Promise<void>((resolve) => {
        release = resolve;
      });
    };
    const first = latest.put("state", send(1));
    for (const value of [2, 3, 4]) void latest.put("state", send(value));
    expect(sent).toEqual([1]);
    release();
    await Promise.resolve();
    await Promise.resolve();
    release();
    await first;
    expect(sent).toEqual([1, 4]);
    expect(failures).toEqual([]);
  });

  test("a failure is told, and the next one goes", async () => {
    const failures: unknown[] = [];
    const latest = new Latest((error) => failures.push(error));
    await latest.put("a", () => Promise.reject(new Error("no")));
    const sent: string[] = [];
    await latest.put("a", async () => void sent.push("yes"));
    expect([failures, sent]).toEqual([[new Error("no")], ["yes"]]);
  });
});

describe("a reading waits for the clock", () => {
  const noBound = undefined;
  test.each([
    ["estimated", noBound, "unsynced", 0, true],
    ["estimated", noBound, "unsynced", 599_999, true],
    ["estimated", noBound, "unsynced", 600_000, false],
    ["estimated", 1000, "unsynced", 0, true],
    ["estimated", noBound, "none", 0, false],
    // Of this boot, or of one before it: until this boot's first anchor.
    ["estimated", noBound, "synced", 0, true],
    ["estimated", noBound, "synced", 600_000, false],
    ["estimated", 1000, "synced", 0, false],
    ["synced", noBound, "unsynced", 0, false],
  ] as const)(
    "%s, at the latest %s, clock %s, connected for %i ms: %s",
    (clock, latestMs, syncState, connectedMs, waits) => {
      const time = { clock, ...(latestMs !== undefined && { latestMs }) };
      expect(waitsForClock(time, syncState, connectedMs, 600_000)).toBe(waits);
    },
  );
});

test("the pace lets a tenth of a second's worth through at once, and then keeps the rate", async () => {
  const clock = new FakeClock();
  const pace = new Pace(50, clock);
  const { signal } = new AbortController();
  let passed = 0;
  const run = (async () => {
    for (let count = 0; count < 100; count++) {
      await pace.take(signal);
      passed++;
    }
  })();
  await clock.advance(0);
  expect(passed).toBe(6);
  await clock.advance(1000);
  expect(passed).toBe(56);
  await clock.advance(1000);
  await run;
});

test("topics match filters as MQTT 5 §4.7 says", () => {
  const yes: [string, string][] = [
    ["a/b", "a/b"],
    ["a/+", "a/b"],
    ["a/#", "a"],
    ["a/#", "a/b/c"],
    ["#", "a/b"],
    ["+/+", "/b"],
  ];
  const no: [string, string][] = [
    ["a/b", "a/c"],
    ["a/+", "a"],
    ["a/+", "a/b/c"],
    ["#", "$SYS/x"],
    ["+/x", "$SYS/x"],
    ["a", "a/b"],
  ];
  expect(yes.filter(([filter, topic]) => !matches(filter, topic))).toEqual([]);
  expect(no.filter(([filter, topic]) => matches(filter, topic))).toEqual([]);
});

test("a reason code decides about the message, and what nobody knows means later", () => {
  expect([0x00, 0x10, 0x90, 0x95, 0x99, 0x87, 0x97, 0x80, 0x83, 0xc0].map(verdictOf)).toEqual([
    ...["delivered", "delivered", "refused", "refused", "refused", "forbidden"],
    ...["later", "later", "later", "later"],
  ]);
  expect([undefined, 0x95, 0x82, 0x8b, 0x8e, 0x97].map(canBeTheMessage)).toEqual([
    true,
    true,
    true,
    false,
    false,
    false,
  ]);
});
