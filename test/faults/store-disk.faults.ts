import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { canMount } from "../store/fixture.ts";
import { compileSlowCard } from "../support/slow-card.ts";
import { figures } from "./campaign.ts";
import { type StoreNow, StoreProcess } from "./store-process.ts";

const EIO = 5;
const EDQUOT = 122;

const sumOf = (dropped: Record<string, number>) => Object.values(dropped).reduce((sum, count) => sum + count, 0);

/** What always holds, and how long nothing was held up. */
function check(now: StoreNow): void {
  const { sampled, delivered, pending, dropped } = now.counters;
  expect(sampled).toBe(delivered + pending + sumOf(dropped));
  expect(sampled).toBe(now.n);
  if (!now.found) return;
  expect(now.found.length).toBe(pending);
  expect(now.found).toEqual([...new Set(now.found)].sort((a, b) => a - b));
}

/** To the last block. */
function fillUp(mount: string): void {
  for (const bytes of [1024 * 1024, 4096]) {
    for (let part = 0; ; part++) {
      try {
        writeFileSync(join(mount, `others-${bytes}-${part}`), Buffer.alloc(bytes, "x"));
      } catch {
        break;
      }
    }
  }
}

const root = mkdtempSync("/dev/shm/fieldpost-disk-");
let stagings = 0;
const staging = () => join(root, `staging${stagings++}`);
afterAll(() => rmSync(root, { recursive: true, force: true }));

describe.runIf(canMount())("on a small loop device with ext4", () => {
  const image = join(root, "image");
  const mount = join(root, "mounted");
  let device = "";
  beforeAll(() => {
    mkdirSync(mount);
    writeFileSync(image, "");
    truncateSync(image, 48 * 1024 * 1024);
    execFileSync("mkfs.ext4", ["-q", "-F", "-m", "0", image]);
    execFileSync("mount", ["-o", "loop,errors=remount-ro", image, mount]);
    device = execFileSync("losetup", ["-n", "-O", "NAME", "-j", image], { encoding: "utf8" }).trim();
  });
  afterAll(() => {
    execFileSync("umount", [mount]);
  });

  test("full: readings wait, nothing is held up, and all are there when it is over", async () => {
    await using store = new StoreProcess(join(mount, "full"), staging());
    await store.until(({ n }) => n > 200);
    fillUp(mount);
    const full = await store.until(({ faults }) => faults.includes("STORE_FULL"));
    const held = await store.until(({ n }) => n > full.n + 2000);
    expect(held.counters.dropped).toEqual({});
    for (const name of readdirSync(mount)) if (name.startsWith("others")) rmSync(join(mount, name));
    await store.until(({ faults }) => faults.length === 0);
    const last = await store.stop();
    check(last);
    expect(last.found?.length).toBe(last.n);
    figures("disk full", {
      readings: last.n,
      lost: 0,
      "slowest accept, µs": last.slowestUs,
      "stall, ms": last.stallMs,
    });
  });

  test("remounted read-only by the kernel: what is there is read, the rest is held; mounted anew it goes on", async () => {
    await using store = new StoreProcess(join(mount, "ro"), staging());
    await store.until(({ n }) => n > 400);
    writeFileSync(`/sys/fs/ext4/${basename(device)}/trigger_fs_error`, "1");
    const failed = await store.until(({ faults }) => faults.includes("STORE_IO"));
    await store.until(({ n }) => n > failed.n + 1000);
    const last = await store.stop();
    check(last);
    expect(last.found?.length).toBe(last.n);
    execFileSync("umount", [mount]);
    try {
      execFileSync("fsck.ext4", ["-fy", image], { stdio: "ignore" });
    } catch {
      // 1: it corrected something.
    }
    execFileSync("mount", ["-o", "loop,errors=remount-ro", image, mount]);
    device = execFileSync("losetup", ["-n", "-O", "NAME", "-j", image], { encoding: "utf8" }).trim();
    figures("read-only remount", {
      readings: last.n,
      lost: 0,
      "slowest accept, µs": last.slowestUs,
      "stall, ms": last.stallMs,
    });
  });
});

const card = compileSlowCard();

describe.runIf(card !== undefined)("with a card that", () => {
  const failing = async (name: string, errno: number, code: string) => {
    const flag = join(root, `flag-${name}`);
    const env = { LD_PRELOAD: card, FULL_WHILE: flag, CARD_FILES: "/store.db" };
    const path = join(root, name);
    await using store = new StoreProcess(path, staging(), env);
    await store.until(({ n }) => n > 300);
    writeFileSync(flag, String(errno));
    const failed = await store.until(({ faults }) => faults.includes(code));
    const held = await store.until(({ n }) => n > failed.n + 2000);
    expect(held.counters.dropped).toEqual({});
    rmSync(flag);
    const over = await store.until(({ faults }) => faults.length === 0);
    await store.until(({ n }) => n > over.n + 200);
    const last = await store.stop();
    check(last);
    expect(last.found?.length).toBe(last.n);
    figures(`${name} from the card`, {
      readings: last.n,
      lost: 0,
      "slowest accept, µs": last.slowestUs,
      "stall, ms": last.stallMs,
    });
  };

  test("answers EIO to every write and sync for a while: nothing is lost", () => failing("EIO", EIO, "STORE_IO"));
  test("is over its quota for a while: nothing is lost", () => failing("EDQUOT", EDQUOT, "STORE_IO"));

  test("fails for longer than memory lasts: the oldest go, counted, and the rest is delivered", async () => {
    const flag = join(root, "flag-long");
    const env = { LD_PRELOAD: card, FULL_WHILE: flag, CARD_FILES: "/store.db" };
    await using store = new StoreProcess(join(root, "long"), staging(), env, 100_000);
    await store.until(({ n }) => n > 100);
    writeFileSync(flag, String(EIO));
    await store.until(({ counters }) => (counters.dropped.memory_full ?? 0) > 500);
    rmSync(flag);
    await store.until(({ faults }) => faults.length === 0);
    const last = await store.stop();
    check(last);
    expect(last.found?.at(-1)).toBe(last.n);
    figures("EIO for longer than memory lasts", {
      readings: last.n,
      counted: sumOf(last.counters.dropped),
      found: last.found?.length ?? 0,
    });
  });

  test("takes three seconds for each sync: nothing is held up", async () => {
    await using store = new StoreProcess(join(root, "slow"), staging(), { LD_PRELOAD: card, SYNC_MS: "3000" });
    await store.until(({ n }) => n > 1500);
    const last = await store.stop();
    check(last);
    expect(last.found?.length).toBe(last.n);
    expect(last.slowestUs).toBeLessThan(1_000_000);
    figures("3 s for each sync", { readings: last.n, "slowest accept, µs": last.slowestUs, "stall, ms": last.stallMs });
  });
});
