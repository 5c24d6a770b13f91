import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Io } from "../../src/cli/command.ts";
import { commandsFor } from "../../src/cli/commands.ts";
import { runProgram } from "../../src/cli/program.ts";
import { isGatewayError } from "../../src/core/errors.ts";
import type { Store } from "../../src/store/store.ts";
import { Machine, numbersOf, pendingOf } from "../store/fixture.ts";

let machine: Machine;
let directory: string;
let configFile: string;
beforeEach(() => {
  machine = new Machine();
  directory = mkdtempSync(join(tmpdir(), "fieldpost-outbox-"));
  configFile = join(directory, "fieldpost.yaml");
  writeFileSync(configFile, `store: { path: ${machine.path} }\ngateway: { id: greenhouse }\n`);
});
afterEach(() => {
  machine[Symbol.dispose]();
  rmSync(directory, { recursive: true });
});

async function fieldpost(...args: string[]): Promise<{ code: number | string; out: string; err: string }> {
  let [out, err] = ["", ""];
  const io: Io = {
    out: (text) => {
      out += text;
    },
    err: (text) => {
      err += text;
    },
    color: false,
    env: { RUNTIME_DIRECTORY: directory },
    uid: process.getuid?.() ?? 0,
    signal: new AbortController().signal,
    onReload: () => () => undefined,
  };
  try {
    return { code: await runProgram(await commandsFor(args), [...args, "--config", configFile], "0", io), out, err };
  } catch (error) {
    if (!isGatewayError(error)) throw error;
    return { code: error.code, out, err: error.message };
  }
}

/** Two devices; two of six delivered, one set aside. */
async function fill(store: Store): Promise<void> {
  machine.clock.sync = "synced";
  const monoMs = machine.clock.monoMs();
  store.saveBoot({ boot: machine.clock.bootId(), anchors: [{ monoMs, offsetMs: machine.clock.wallMs() - monoMs }] });
  for (let n = 1; n <= 6; n++) store.accept(machine.reading(n, n % 2 ? "odd" : "even"));
  store.outbox.setAside("mqtt", (await pendingOf(store))[2]!, "too_large");
  store.outbox.acknowledge("mqtt", 2);
  await store.flush();
}

describe("fieldpost outbox", () => {
  it("shows what waits by device, what was dropped and why, while a store is in use", async () => {
    await using store = await machine.open();
    await fill(store);
    const { code, out } = await fieldpost("outbox");
    expect(code).toBe(0);
    expect(out).toContain("6 sampled = 2 delivered + 3 pending + dropped");
    expect(out).toContain("1 too_large");
    expect(out).toMatch(/even +2 +2026-01-01T00:00:00.000Z/);
    expect(out).toMatch(/odd +1 /);
    const json = JSON.parse((await fieldpost("outbox", "--json")).out);
    expect(json).toMatchObject({
      counters: { sampled: 6, delivered: 2, pending: 3, dropped: { too_large: 1 } },
      devices: [
        { device: "even", pending: 2 },
        { device: "odd", pending: 1 },
      ],
      set_aside: [{ seq: 3, reason: "too_large" }],
    });
    // Nothing of it disturbs the store.
    store.accept(machine.reading(7));
    await store.flush();
    expect(store.faults()).toEqual([]);
  });

  it("exports what waits as JSON lines", async () => {
    await using store = await machine.open();
    await fill(store);
    const { out } = await fieldpost("outbox", "export");
    const lines = out
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(lines.map(({ seq }) => seq)).toEqual([4, 5, 6]);
    expect(lines[0]).toEqual({
      epoch: store.epoch,
      seq: 4,
      device: "even",
      time: "2026-01-01T00:00:00.000Z",
      clock: "synced",
      values: { n: 4 },
    });
  });

  it("refuses what it does not know, and says where there is no store", async () => {
    expect(await fieldpost("outbox", "drain")).toMatchObject({ code: 2 });
    expect(await fieldpost("outbox")).toMatchObject({ code: "STORE_IO" });
  });
});

describe("fieldpost backup and restore", () => {
  it("bring back configuration, secrets and store; no seq comes twice", async () => {
    writeFileSync(join(directory, "secrets.yaml"), "mqtt_password: x\n", { mode: 0o600 });
    const archive = join(directory, "backup.tar.gz");
    const store = await machine.open();
    await fill(store);
    expect(await fieldpost("backup", archive)).toMatchObject({
      code: 0,
      out: `${archive}: fieldpost.yaml, secrets.yaml, store.db\n`,
    });
    expect(statSync(archive).mode & 0o777).toBe(0o600);
    expect(readdirSync(directory).filter((name) => name.startsWith(".fieldpost-backup"))).toEqual([]);
    // Numbers given out after the backup.
    for (let n = 7; n <= 9; n++) store.accept(machine.reading(n));
    const { epoch } = store;
    expect(await fieldpost("restore", archive)).toMatchObject({ code: "STORE_LOCKED" });
    await store[Symbol.asyncDispose]();

    writeFileSync(configFile, "gateway: { id: broken }\n");
    machine.reboot();
    const restored = JSON.parse((await fieldpost("restore", archive, "--json")).out);
    expect(restored.replaced).toHaveLength(3);
    expect(restored.replaced.every((path: string) => existsSync(path))).toBe(true);
    expect(readFileSync(configFile, "utf8")).toContain("greenhouse");
    await using again = await machine.open();
    expect(again.epoch).toBeGreaterThan(epoch);
    expect(numbersOf(await pendingOf(again))).toEqual([4, 5, 6]);
    expect(again.counters()).toMatchObject({ sampled: 6, delivered: 2, pending: 3 });
    expect(again.accept(machine.reading(10))).toMatchObject({ seq: 1 });
  });

  it("refuses what is no backup, and leaves everything as it was", async () => {
    await (await machine.open())[Symbol.asyncDispose]();
    const before = readdirSync(machine.path);
    writeFileSync(join(directory, "other.tar.gz"), "nonsense");
    expect(await fieldpost("restore", join(directory, "other.tar.gz"))).toMatchObject({ code: "BACKUP_FAILED" });
    mkdirSync(join(directory, "empty"));
    const { packTar } = await import("../../src/cli/tar.ts");
    await packTar(join(directory, "empty"), join(directory, "empty.tar.gz"));
    expect(await fieldpost("restore", join(directory, "empty.tar.gz"))).toMatchObject({ code: "BACKUP_FAILED" });
    expect(readdirSync(machine.path)).toEqual(before);
  });
});
