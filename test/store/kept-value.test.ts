import { describe, expect, it } from "vitest";
import { keptValue } from "../../src/store/kept-value.ts";
import type { Store, Urgency } from "../../src/store/store.ts";
import { Machine, until } from "./fixture.ts";

const parseTotal = (json: unknown) => (typeof json === "number" ? json : undefined);
const totalOf = (store: Store, urgency: Urgency = "soon") => keptValue(store, "pulse.total", parseTotal, urgency);

describe("a kept value", () => {
  it("is there after kill -9, whatever its urgency", async () => {
    using machine = new Machine();
    const first = await machine.open();
    expect(totalOf(first).get()).toBeUndefined();
    totalOf(first, "eventually").set(41);
    totalOf(first).set(42);
    await machine.crash(first);
    await using second = await machine.open();
    expect(totalOf(second).get()).toBe(42);
  });

  it("that is wanted soon survives a power cut after the commit window", async () => {
    using machine = new Machine();
    const first = await machine.open();
    totalOf(first).set(7);
    await machine.clock.advance(5000);
    await until(() => machine.query("SELECT value FROM meta WHERE key = 'pulse.total'") === "7");
    await machine.powerCut(first);
    await using second = await machine.open();
    expect(totalOf(second).get()).toBe(7);
  });

  it("costs one commit a window however often it changes, and none before housekeeping if it has time", async () => {
    using machine = new Machine();
    await using store = await machine.open();
    for (let n = 1; n <= 1000; n++) totalOf(store, "eventually").set(n);
    await machine.clock.advance(60_000);
    expect(machine.query("SELECT count(*) FROM meta WHERE key = 'pulse.total'")).toBe(0);
    await machine.passUntil(() => machine.query("SELECT value FROM meta WHERE key = 'pulse.total'") === "1000");
  });

  it("that another version wrote is taken for none", async () => {
    using machine = new Machine();
    await using store = await machine.open();
    store.setMeta("pulse.total", '{"value":3}');
    expect(totalOf(store).get()).toBeUndefined();
  });
});
