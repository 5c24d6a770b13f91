import { describe, expect, test } from "vitest";
import { GatewayError } from "../../src/core/errors.ts";
import { type DecommissionPorts, decommission } from "../../src/lifecycle/decommission.ts";

const STATUS = "fieldpost/gw/probe/status";
const DISCOVERY = "homeassistant/device/gw/probe/config";
const TOPICS = [STATUS, "fieldpost/gw/probe/state", DISCOVERY];
const END = { dryRun: false, discard: false };

type Step = "tombstone" | "stop" | "discard" | "clearRetained" | "retainedAmong" | "cleared" | "forgetValues" | "end";

/** A gateway with one device and a broker, as sets; `broken` throws before the named port does anything. */
function gateway({ id = "probe", broken }: { id?: string; broken?: Step | undefined } = {}) {
  const broker = new Set([...TOPICS, "fieldpost/gw/other/status"]);
  const ledger = new Set(TOPICS);
  const world = {
    running: id === "probe",
    tombstoned: false,
    values: true,
    waiting: 3,
    session: true,
    broken,
    broker,
    ledger,
    calls: [] as string[],
  };
  const port = <A extends unknown[], R>(name: Step, work: (...args: A) => R) => {
    return async (...args: A): Promise<R> => {
      if (world.broken === name) throw new GatewayError("STORE_IO", `${name} is cut off`);
      world.calls.push(name);
      return work(...args);
    };
  };
  const ports: DecommissionPorts = {
    id,
    isKnown: () => id === "probe",
    isRunning: () => world.running,
    stop: port("stop", () => void Object.assign(world, { running: false })),
    isTombstoned: () => world.tombstoned,
    tombstone: port("tombstone", () => void Object.assign(world, { tombstoned: true })),
    waiting: async () => world.waiting,
    discard: port("discard", () => void Object.assign(world, { waiting: 0 })),
    session: { hasEnded: () => !world.session, end: port("end", () => void Object.assign(world, { session: false })) },
    broker: () => "here:1883",
    entries: async () => (id === "probe" ? [...ledger].map((topic) => ({ topic, broker: "here:1883" })) : []),
    clearRetained: port("clearRetained", (topics: readonly string[]) => {
      for (const topic of topics) broker.delete(topic);
    }),
    retainedAmong: port("retainedAmong", (topics: readonly string[]) => topics.filter((topic) => broker.has(topic))),
    cleared: port("cleared", (topic: string) => void ledger.delete(topic)),
    hasValues: () => world.values,
    forgetValues: port("forgetValues", () => void Object.assign(world, { values: false })),
  };
  return { world, ports };
}

describe("decommissioning a device", () => {
  test("clears every retained topic of it and of nobody else, its discovery first, and remembers", async () => {
    const { world, ports } = gateway();
    const result = await decommission(END, ports);
    expect(result).toMatchObject({ outcome: "done", left: [], elsewhere: [], waiting: 3 });
    expect(result.topics).toEqual([DISCOVERY, ...TOPICS.filter((topic) => topic !== DISCOVERY)]);
    expect([...world.broker]).toEqual(["fieldpost/gw/other/status"]);
    expect(world).toMatchObject({ running: false, tombstoned: true, values: false, session: false });
  });

  test("drops what waits for delivery only where that is asked for", async () => {
    const { world, ports } = gateway();
    await decommission({ ...END, discard: true }, ports);
    expect(world.waiting).toBe(0);
    expect(world.calls.indexOf("discard")).toBeGreaterThan(world.calls.indexOf("stop"));
  });

  test("only says what would go in a dry run", async () => {
    const { world, ports } = gateway();
    expect(await decommission({ ...END, dryRun: true }, ports)).toMatchObject({
      outcome: "would",
      topics: TOPICS,
      waiting: 3,
      steps: [],
    });
    expect(world.calls).toEqual([]);
  });

  test("knows no device that never was", async () => {
    await expect(decommission(END, gateway({ id: "ghost" }).ports)).rejects.toMatchObject({ code: "DEVICE_UNKNOWN" });
  });

  test.each([
    "tombstone",
    "stop",
    "discard",
    "forgetValues",
    "end",
    "clearRetained",
    "retainedAmong",
    "cleared",
  ] as const)("interrupted at %s is finished by running it again", async (step) => {
    const { world, ports } = gateway({ broken: step });
    await expect(decommission({ ...END, discard: true }, ports)).rejects.toThrow("is cut off");
    world.broken = undefined;
    await decommission({ ...END, discard: true }, ports);
    expect([...world.broker]).toEqual(["fieldpost/gw/other/status"]);
    expect(world).toMatchObject({ running: false, tombstoned: true, values: false, session: false, waiting: 0 });
    expect(world.ledger.size).toBe(0);
  });

  test("forgets the values once nothing is told any more: after the session, at once where there is none", async () => {
    const order = async ({ world, ports }: ReturnType<typeof gateway>) => {
      await decommission(END, ports);
      return world.calls.filter((call) => call === "end" || call === "forgetValues");
    };
    expect(await order(gateway())).toEqual(["end", "forgetValues"]);
    const { world, ports } = gateway({ broken: "clearRetained" });
    const { session: _session, ...device } = ports;
    await expect(decommission(END, device)).rejects.toThrow("is cut off");
    expect(world.values).toBe(false);
  });

  test("ends the session before it clears a topic, so that no last will brings one back", async () => {
    const { world, ports } = gateway();
    await decommission(END, ports);
    expect(world.calls.indexOf("end")).toBeLessThan(world.calls.indexOf("clearRetained"));
  });

  test("is queued while the broker is away: what needs no broker is done, and what is left is said", async () => {
    const { world, ports } = gateway();
    const away = async () => {
      throw new GatewayError("BROKER_UNREACHABLE", "not connected");
    };
    const result = await decommission(END, { ...ports, clearRetained: away });
    expect(result).toMatchObject({ outcome: "queued", reason: "not connected", topics: [], left: TOPICS });
    expect(world).toMatchObject({ running: false, tombstoned: true, values: false });
    expect(await decommission(END, ports)).toMatchObject({ outcome: "done", left: [] });
  });

  test("says what is at another broker, and leaves it in the ledger for when that is reached", async () => {
    const { ports } = gateway();
    const foreign = { topic: STATUS, broker: "there:1883" };
    const entries = async () => [...(await ports.entries()), foreign];
    expect(await decommission(END, { ...ports, entries })).toMatchObject({ outcome: "done", elsewhere: [foreign] });
  });

  test("keeps a topic in the ledger that the broker did not let go", async () => {
    const { world, ports } = gateway();
    const stubborn = { ...ports, clearRetained: async () => undefined };
    await expect(decommission(END, stubborn)).rejects.toMatchObject({ code: "BROKER_REFUSED" });
    expect(world.ledger.size).toBe(TOPICS.length);
  });

  test("has nothing left to do the second time", async () => {
    const { ports } = gateway();
    await decommission(END, ports);
    const again = await decommission(END, ports);
    expect(new Set(again.steps.map(({ outcome }) => outcome))).toEqual(new Set(["already"]));
  });
});
