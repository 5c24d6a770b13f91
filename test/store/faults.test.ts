import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { canMount, Machine, numbersOf, pendingOf } from "./fixture.ts";

/** A card that can be full: a small tmpfs, where mounting is allowed. */
describe.runIf(canMount())("a full disk", () => {
  const mount = mkdtempSync(join(tmpdir(), "fieldpost-small-"));
  beforeAll(() => {
    execFileSync("/usr/bin/mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", mount]);
  });
  afterAll(() => {
    execFileSync("/usr/bin/umount", [mount]);
    rmSync(mount, { recursive: true });
  });

  /** Takes all the room that is left; returns what gives it back. */
  function fill(): () => void {
    const file = join(mount, "ballast");
    const { bavail, bsize } = statfsSync(mount);
    writeFileSync(file, Buffer.alloc(bavail * bsize));
    return () => rmSync(file);
  }

  it("keeps records in memory and staging, is a fault, and is over when there is room again", async () => {
    using machine = new Machine();
    machine.path = join(mount, "store");
    mkdirSync(machine.path);
    const store = await machine.open();
    const release = fill();
    for (let n = 1; n <= 400; n++) store.accept({ ...machine.reading(n), values: { n, text: String(n).repeat(200) } });
    await expect(store.flush()).rejects.toMatchObject({ code: "STORE_FULL" });
    expect(store.faults()).toMatchObject([{ code: "STORE_FULL" }]);
    expect(store.counters()).toMatchObject({ sampled: 400, pending: 400 });
    expect((await pendingOf(store, 100)).length).toBe(400);

    release();
    await machine.passUntil(() => store.faults().length === 0);
    expect(machine.query("SELECT sum(count) FROM segment")).toBe(400);
    await store[Symbol.asyncDispose]();
  });

  it("at a stop leaves the rest in staging for the next start", async () => {
    using machine = new Machine();
    machine.path = join(mount, "again");
    mkdirSync(machine.path);
    const first = await machine.open();
    const { epoch } = first;
    const release = fill();
    for (let n = 1; n <= 400; n++) first.accept({ ...machine.reading(n), values: { n, text: String(n).repeat(200) } });
    await first[Symbol.asyncDispose]();
    expect(existsSync(join(machine.staging, "staging.log"))).toBe(true);
    release();
    await using second = await machine.open();
    expect(second.epoch).toBe(epoch);
    expect((await pendingOf(second, 100)).length).toBe(400);
  });
});

describe("the staging directory", () => {
  it("that fails makes each record go to the disk soon, is a fault, and never lets an old file look whole", async () => {
    using machine = new Machine();
    const store = await machine.open();
    store.accept(machine.reading(1));
    // The file is gone and no new one can be made, as after someone cleaned /run.
    rmSync(machine.staging, { recursive: true });
    writeFileSync(machine.staging, "in the way");
    for (let n = 2; n <= 3000; n++) {
      const stored = store.accept({ ...machine.reading(n), values: { n, text: "x".repeat(300) } });
      store.outbox.acknowledge("mqtt", stored!.position - 3);
    }
    await machine.passUntil(() => store.faults().length > 0);
    expect(store.faults()).toMatchObject([{ code: "STORE_IO" }]);
    await machine.passUntil(() => machine.query("SELECT count(*) FROM segment") === 1);
    rmSync(machine.staging);
    mkdirSync(machine.staging);
    await machine.passUntil(() => store.faults().length === 0);
    const { epoch } = store;
    const left = numbersOf(await pendingOf(store));
    await machine.crash(store);
    await using second = await machine.open();
    expect(second.epoch).toBe(epoch);
    expect(numbersOf(await pendingOf(second))).toEqual(left);
  });
});

describe("a store that cannot be opened", () => {
  it.runIf(process.getuid?.() !== 0)("says STORE_IO where it may not write", async () => {
    using machine = new Machine();
    chmodSync(machine.path, 0o500);
    await expect(machine.open()).rejects.toMatchObject({ code: "STORE_IO" });
  });

  it("says so where its path is a file", async () => {
    using machine = new Machine();
    rmSync(machine.path, { recursive: true });
    writeFileSync(machine.path, "");
    const message = expect.stringContaining(`the store in ${machine.path} cannot be opened`);
    await expect(machine.open()).rejects.toMatchObject({ code: "STORE_IO", message });
  });
});
