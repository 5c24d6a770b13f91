import { describe, expect, test } from "vitest";
import { GatewayError } from "../../src/core/errors.ts";
import { type DecommissionPorts, decommission } from "../../src/lifecycle/decommission.ts";

const TOPICS = ["fieldpost/gw/probe/status", "fieldpost/gw/probe/state", "homeassistant/device/gw/probe/config"];

/** A gateway with one device and a broker, as sets; `broken` throws before the named port does anything. */
function gateway(broken?: keyof DecommissionPorts) {
  const broker = new Set([...TOPICS, "fieldpost/gw/other/status"]);
  const ledger = new Set(TOPICS);
  const world = { sampled: true, tombstoned: false, values: true, broken, broker, ledger, calls: [] as string[] };
  const port = <A extends unknown[], R>(name: keyof DecommissionPorts, work: (...args: A) => R) => {
    return async (...args: A): Promise<R> => {
      if (world.broken === name) throw new GatewayError("BROKER_UNREACHABLE", `${name} is cut off`);
      world.calls.push(name);
      return work(...args);
    };
  };
  const ports: DecommissionPorts = {
    isKnown: (device) => device === "probe",
    isSampled: () => world.sampled,
    stop: port("stop", () => void Object.assign(world, { sampled: false })),
    isTombstoned: () => world.tombstoned,
    tombstone: port("tombstone", () => void Object.assign(world, { tombstoned: true })),
    ledgerTopics: async (device) => (device === "probe" ? [...ledger].map((topic) => ({ topic, device })) : []),
    clearRetained: port("clearRetained", (topics: readonly string[]) => {
      for (const topic of topics) broker.delete(topic);
    }),
    retainedAmong: port("retainedAmong", (topics: readonly string[]) => topics.filter((topic) => broker.has(topic))),
    cleared: port("cleared", (topic: string) => void ledger.delete(topic)),
    hasValues: () => world.values,
    forgetValues: () => void Object.assign(world, { values: false }),
  };
  return { world, ports };
}

describe("decommissioning a device", () => {
  test("clears every retained topic of it and of nobody else, and remembers", async () => {
    const { world, ports } = gateway();
    const result = await decommission("probe", false, ports);
    expect(result.topics).toEqual(TOPICS);
    expect([...world.broker]).toEqual(["fieldpost/gw/other/status"]);
    expect(world).toMatchObject({ sampled: false, tombstoned: true, values: false });
  });

  test("only says what would go in a dry run", async () => {
    const { world, ports } = gateway();
    expect(await decommission("probe", true, ports)).toMatchObject({ dryRun: true, topics: TOPICS, steps: [] });
    expect(world.calls).toEqual([]);
  });

  test("knows no device that never was", async () => {
    await expect(decommission("ghost", false, gateway().ports)).rejects.toMatchObject({ code: "DEVICE_UNKNOWN" });
  });

  test.each(["tombstone", "stop", "clearRetained", "retainedAmong", "cleared"] as const)(
    "interrupted at %s is finished by running it again",
    async (step) => {
      const { world, ports } = gateway(step);
      await expect(decommission("probe", false, ports)).rejects.toThrow("is cut off");
      world.broken = undefined;
      await decommission("probe", false, ports);
      expect([...world.broker]).toEqual(["fieldpost/gw/other/status"]);
      expect(world).toMatchObject({ sampled: false, tombstoned: true, values: false });
      expect(world.ledger.size).toBe(0);
    },
  );

  test("keeps a topic in the ledger that the broker did not let go", async () => {
    const { world, ports } = gateway();
    const stubborn = { ...ports, clearRetained: async () => undefined };
    await expect(decommission("probe", false, stubborn)).rejects.toMatchObject({ code: "BROKER_REFUSED" });
    expect(world.ledger.size).toBe(TOPICS.length);
  });

  test("has nothing left to do the second time", async () => {
    const { ports } = gateway();
    await decommission("probe", false, ports);
    const again = await decommission("probe", false, ports);
    expect(again.steps.map(({ outcome }) => outcome)).toEqual(["already", "already", "already", "already"]);
  });
});
