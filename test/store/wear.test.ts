import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { WearMeter, type Written, writtenBytes } from "../../src/store/wear.ts";
import { FakeClock } from "../fakes/clock.ts";
import { Machine } from "./fixture.ts";

describe("the wear of the card", () => {
  it("is bytes a day over what was seen of the last day", async () => {
    const clock = new FakeClock();
    let written: Written = { ownBytes: 5_000_000, diskBytes: 9_000_000 };
    const meter = new WearMeter(clock, () => written);
    expect(meter.now()).toBeUndefined();
    await clock.advance(3_600_000);
    written = { ownBytes: 6_000_000, diskBytes: 12_000_000 };
    expect(meter.now()).toEqual({ ownBytesPerDay: 24_000_000, diskBytesPerDay: 72_000_000 });
    for (let hour = 0; hour < 48; hour++) {
      await clock.advance(3_600_000);
      meter.now();
    }
    expect(meter.now()).toEqual({ ownBytesPerDay: 0, diskBytesPerDay: 0 });
  });

  it("is unknown where the kernel does not tell", () => {
    expect(new WearMeter(new FakeClock(), () => undefined).now()).toBeUndefined();
  });

  it("is counted by the kernel as this process writes", () => {
    const directory = mkdtempSync(join(process.cwd(), "dist/wear-"));
    try {
      const before = writtenBytes(directory);
      const fd = openSync(join(directory, "file"), "w");
      writeSync(fd, Buffer.alloc(1_000_000, 1));
      fdatasyncSync(fd);
      closeSync(fd);
      const after = writtenBytes(directory);
      expect((after?.ownBytes ?? 0) - (before?.ownBytes ?? 0)).toBeGreaterThanOrEqual(1_000_000);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  it("is spared while the broker is there: counters and small values are written each half hour", async () => {
    using machine = new Machine();
    await using store = await machine.open();
    const onDisk = () => machine.query("SELECT value FROM counter WHERE name = 'mqtt delivered'") ?? 0;
    const deliver = async (minutes: number) => {
      for (let n = 0; n < minutes * 6; n++) {
        const stored = store.accept(machine.reading(n));
        store.outbox.acknowledge("mqtt", stored?.position ?? 0);
        await machine.clock.advance(10_000);
      }
    };
    store.setMeta("baseline", "1");
    await deliver(29);
    expect(onDisk()).toBe(0);
    await deliver(2);
    await machine.passUntil(() => Number(onDisk()) > 0);
    expect(machine.query("SELECT value FROM meta WHERE key = 'baseline'")).toBe("1");
    expect(machine.query("SELECT count(*) FROM segment")).toBe(0);
  });

  it("is spared while the broker is away: the counters follow from the segments, and are written with some of them alone", async () => {
    using machine = new Machine();
    const store = await machine.open();
    const counted = () => Number(machine.query("SELECT value FROM counter WHERE name = 'head'") ?? 0);
    const commit = async (times: number) => {
      for (let n = 0; n < times; n++) {
        store.accept(machine.reading(n));
        await store.flush();
      }
    };
    await commit(50);
    expect(machine.query("SELECT count(*) FROM segment")).toBe(50);
    expect(counted()).toBeLessThan(5);
    await commit(50);
    expect(counted()).toBeGreaterThan(50);
    await machine.powerCut(store);
    const next = await machine.open();
    expect(next.counters("mqtt")).toMatchObject({ sampled: 100, delivered: 0, pending: 100, dropped: {} });

    next.outbox.acknowledge("mqtt", 30);
    next.accept(machine.reading(100));
    await next.flush();
    expect(counted()).toBe(101);
    next.accept(machine.reading(101));
    await next.flush();
    expect(counted()).toBe(101);
    await machine.powerCut(next);
    await using last = await machine.open();
    expect(last.counters("mqtt")).toMatchObject({ sampled: 102, delivered: 30, pending: 72, dropped: {} });
  });

  it("is in what the store says of itself", async () => {
    using machine = new Machine();
    await using store = await machine.open();
    store.accept(machine.reading(1));
    await store.flush();
    await machine.clock.advance(700_000);
    expect(store.usage().wear?.ownBytesPerDay).toBeGreaterThan(0);
  });
});
