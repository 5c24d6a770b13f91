import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { canMount, Machine, numbersOf, pendingOf, until } from "./fixture.ts";

/** Cards of their own, where mounting is allowed. */
describe.runIf(canMount())("a disk", () => {
  let mount: string;
  const mounted = (mib: number) => {
    execFileSync("/usr/bin/mount", ["-t", "tmpfs", "-o", `size=${mib}m`, "tmpfs", mount]);
    mkdirSync(join(mount, "store"));
    const machine = new Machine();
    machine.path = join(mount, "store");
    return machine;
  };
  const remount = (mode: "ro" | "rw") => execFileSync("/usr/bin/mount", ["-o", `remount,${mode}`, mount]);
  const fill = () => {
    const { bavail, bsize } = statfsSync(mount);
    writeFileSync(join(mount, "others"), Buffer.alloc(bavail * bsize));
  };
  const free = () => rmSync(join(mount, "others"));
  const noise = () => randomBytes(800).toString("base64");

  beforeEach(() => {
    mount = mkdtempSync(join(tmpdir(), "fieldpost-card-"));
  });
  afterEach(() => {
    execFileSync("/usr/bin/umount", ["-l", mount]);
    rmSync(mount, { recursive: true });
  });

  it("that is full gets what is delivered deleted, and the cursor written, from the reserve", async () => {
    using machine = mounted(48);
    await using store = await machine.open();
    expect(existsSync(join(machine.path, "reserve"))).toBe(true);
    for (let n = 1; n <= 600; n++) {
      store.accept({ ...machine.reading(n), values: { n, text: noise() } });
      if (n % 20 === 0) await store.flush();
    }
    fill();
    store.outbox.acknowledge("mqtt", 590);
    for (let n = 601; n <= 1400; n++) store.accept({ ...machine.reading(n), values: { n, text: noise() } });
    await machine.passUntil(() => machine.query("SELECT coalesce(min(position0), 0) FROM segment") === 581);
    expect(machine.query("SELECT position FROM cursor")).toBe(590);
    await machine.passUntil(() => machine.query("SELECT sum(count) FROM segment") === 820);
    expect(store.counters()).toMatchObject({ sampled: 1400, delivered: 590, pending: 810, dropped: {} });
    free();
    await machine.passUntil(() => existsSync(join(machine.path, "reserve")) && store.faults().length === 0);
  });

  it("that stays full drops the oldest only once memory is half full, and counts them as a gap", async () => {
    using machine = mounted(48);
    await using store = await machine.open({ maxHeldBytes: 2_000_000 });
    for (let n = 1; n <= 2000; n++) {
      store.accept({ ...machine.reading(n), values: { n, text: noise() } });
      if (n % 100 === 0) await store.flush();
    }
    fill();
    let n = 2001;
    for (; n <= 2300; n++) store.accept({ ...machine.reading(n), values: { n, text: noise() } });
    await machine.clock.advance(20_000);
    expect(store.counters().dropped).toEqual({});
    await machine.passUntil(() => {
      store.accept({ ...machine.reading(n), values: { n: n++, text: noise() } });
      return (store.counters().dropped.disk_full ?? 0) > 0;
    });
    const { sampled, pending, dropped } = store.counters();
    const gone = Object.values(dropped).reduce((sum, count) => sum + count, 0);
    expect(sampled).toBe(pending + gone);
    expect(store.outbox.gaps().reduce((sum, { count }) => sum + count, 0)).toBe(gone);
    expect(store.outbox.gaps()[0]).toMatchObject({
      from: 1,
      reason: "disk_full",
      since: { boot: machine.clock.bootId() },
    });
    const left = numbersOf(await pendingOf(store, 100));
    expect(left.length).toBe(pending);
    free();
  });

  it("that is read-only at a start is read; nothing is delivered under an epoch that could come again", async () => {
    using machine = mounted(8);
    const first = await machine.open();
    for (let n = 1; n <= 5; n++) first.accept(machine.reading(n));
    await first.flush();
    const { epoch } = first;
    await first[Symbol.asyncDispose]();
    rmSync(machine.staging, { recursive: true });
    remount("ro");
    machine.reboot();
    machine.clock.sync = "unsynced";
    const second = await machine.open();
    expect(second.faults()).toMatchObject([{ code: "STORE_IO" }]);
    expect(second.counters()).toMatchObject({ sampled: 5, pending: 5 });
    second.accept(machine.reading(6));
    expect(await second.outbox.after(0, 10)).toEqual([]);
    // Killed and started again, still without a disk and without the time.
    await second[Symbol.asyncDispose]();
    const third = await machine.open();
    expect(third.counters()).toMatchObject({ sampled: 6, pending: 6 });
    expect(await third.outbox.after(0, 10)).toEqual([]);
    machine.clock.sync = "synced";
    machine.clock.setWallMs(machine.clock.wallMs() + 3_600_000);
    await machine.clock.advance(1000);
    const found = await pendingOf(third);
    expect(numbersOf(found)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(found.at(-1)).toMatchObject({ epoch: Math.floor(machine.clock.wallMs() / 1000), seq: 1 });
    remount("rw");
    await machine.passUntil(() => third.faults().length === 0);
    expect(machine.query("SELECT max(epoch) FROM epoch")).toBe(third.epoch);
    expect(third.epoch).toBeGreaterThan(epoch);
    await third[Symbol.asyncDispose]();
  });

  it("that is full at a start which needs a new epoch takes it from the reserve", async () => {
    using machine = mounted(48);
    const first = await machine.open();
    for (let n = 1; n <= 5; n++) first.accept(machine.reading(n));
    await first.flush();
    const { epoch } = first;
    await first[Symbol.asyncDispose]();
    // As if the stop had not been a clean one.
    const { default: Sqlite } = await import("better-sqlite3");
    const database = new Sqlite(join(machine.path, "store.db"));
    database.exec("DELETE FROM meta WHERE key = 'store.clean'");
    database.close();
    fill();
    machine.reboot();
    machine.clock.sync = "unsynced";
    await using second = await machine.open();
    expect(second.epoch).toBeGreaterThan(epoch);
    expect(machine.query("SELECT max(epoch) FROM epoch")).toBe(second.epoch);
    second.accept(machine.reading(6));
    expect(numbersOf(await pendingOf(second))).toEqual([1, 2, 3, 4, 5, 6]);
    await until(() => second.faults().length === 0);
  });
});
