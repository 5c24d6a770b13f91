import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { DiskLoad } from "../broker/persistence/disk-load.ts";
import { BrokerProcess } from "../broker/persistence/process.ts";
import { connectPacket, Peer, publishPacket } from "../broker/support/peer.ts";
import { canMount } from "../store/fixture.ts";
import { compileSlowCard } from "../support/slow-card.ts";
import { figures, rounds } from "./campaign.ts";

const [ENOSPC, EIO, EDQUOT] = [28, 5, 122];
const windows = ["0s", "1s"] as const;

const root = mkdtempSync("/dev/shm/fieldpost-broker-disk-");
afterAll(() => rmSync(root, { recursive: true, force: true }));
const card = compileSlowCard();

/** The reason code for a message that is to be kept, from somebody who has nothing under way. */
async function answerToRetained(port: number): Promise<number> {
  using peer = new Peer({ host: "127.0.0.1", port }, 5);
  peer.send(connectPacket({ clientId: "probe", version: 5 }));
  await peer.nextOf("connack");
  peer.send(publishPacket("probe", "x", { qos: 1, retain: true }));
  return (await peer.nextOf("puback")).reason;
}

/**
 * A load while the disk fails, from `fail` to `mend`: what cannot be kept is refused with 0x97 or not acknowledged, everyone
 * else is served, it goes on by itself afterwards, and after a kill everything that was acknowledged is there.
 */
async function failing(
  title: string,
  broker: BrokerProcess,
  code: string,
  fail: () => void,
  mend: () => void,
): Promise<void> {
  const load = new DiskLoad(Date.now());
  await broker.start();
  await load.begin(broker.port);
  await load.until(() => load.acknowledged > 100);
  load.slowestPongMs = 0;
  fail();
  await load.until(() => broker.errors.includes(code));
  expect(await answerToRetained(broker.port)).toBe(0x97);
  await sleep(rounds(5000, 1000));
  const { refused, slowestPongMs } = load;
  mend();
  const taken = load.acknowledged;
  await load.until(() => load.acknowledged > taken + 100);
  expect(await answerToRetained(broker.port)).toBe(0x10);
  await load.stop();
  expect(broker.errors.match(/the broker's database has a fault/g)).toHaveLength(1);
  broker.signal("SIGKILL");
  await broker.ended();
  await broker.start();
  const acknowledged = await load.check(broker.port);
  figures(title, { acknowledged, lost: 0, refused, "slowest answer meanwhile (ms)": Math.round(slowestPongMs) });
}

describe.runIf(card !== undefined).each(windows)("with a window of %s and a card that", (window) => {
  test.each([
    ["is full", ENOSPC, "STORE_FULL"],
    ["answers EIO", EIO, "STORE_IO"],
    ["is over its quota", EDQUOT, "STORE_IO"],
  ] as const)(
    "%s for a while: what cannot be kept is refused, and nothing acknowledged is lost",
    async (what, errno, code) => {
      const flag = join(root, "flag");
      await using broker = new BrokerProcess(window, { LD_PRELOAD: card, FULL_WHILE: flag, CARD_FILES: "/broker.db" });
      await failing(
        `a card that ${what}, window ${window}`,
        broker,
        code,
        () => writeFileSync(flag, String(errno)),
        () => rmSync(flag),
      );
    },
  );

  test("takes three seconds for each sync: acknowledgements wait for it where there is no window, and nobody else does", async () => {
    await using broker = new BrokerProcess(window, { LD_PRELOAD: card, SYNC_MS: "3000" });
    const load = new DiskLoad(Date.now());
    await broker.start();
    await load.begin(broker.port);
    load.slowestPongMs = 0;
    await load.until(() => load.acknowledged > rounds(300, 50));
    await load.stop();
    broker.signal("SIGKILL");
    await broker.ended();
    await broker.start();
    const acknowledged = await load.check(broker.port);
    expect(load.slowestPongMs).toBeLessThan(2500);
    expect([load.refused, broker.errors]).toEqual([0, ""]);
    figures(`3 s for each sync, window ${window}`, {
      acknowledged,
      lost: 0,
      "slowest answer meanwhile (ms)": Math.round(load.slowestPongMs),
    });
  });
});

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

describe.runIf(canMount())("on a small loop device with ext4", () => {
  const image = join(root, "image");
  const mount = join(root, "mounted");
  let device = "";
  const mountIt = () => {
    execFileSync("mount", ["-o", "loop,errors=remount-ro", image, mount]);
    device = execFileSync("losetup", ["-n", "-O", "NAME", "-j", image], { encoding: "utf8" }).trim();
  };
  beforeAll(() => {
    mkdirSync(mount);
    writeFileSync(image, "");
    truncateSync(image, 48 * 1024 * 1024);
    execFileSync("mkfs.ext4", ["-q", "-F", "-m", "0", image]);
    mountIt();
  });
  afterAll(() => {
    execFileSync("umount", [mount]);
  });

  test.each(windows)("full, window %s: what cannot be kept is refused, until there is room again", async (window) => {
    await using broker = new BrokerProcess(window, {}, join(mount, `full-${window}`));
    const makeRoom = () => {
      for (const name of readdirSync(mount)) if (name.startsWith("others")) rmSync(join(mount, name));
    };
    await failing(`disk full, window ${window}`, broker, "STORE_FULL", () => fillUp(mount), makeRoom);
  });

  test.each(windows)(
    "remounted read-only by the kernel, window %s: what was acknowledged is there once it is mounted anew",
    async (window) => {
      await using broker = new BrokerProcess(window, {}, join(mount, `ro-${window}`));
      const load = new DiskLoad(Date.now());
      await broker.start();
      await load.begin(broker.port);
      await load.until(() => load.acknowledged > 100);
      load.slowestPongMs = 0;
      writeFileSync(`/sys/fs/ext4/${basename(device)}/trigger_fs_error`, "1");
      await load.until(() => broker.errors.includes("STORE_IO"));
      expect(await answerToRetained(broker.port)).toBe(0x97);
      await load.stop();
      broker.signal("SIGKILL");
      await broker.ended();
      execFileSync("umount", [mount]);
      try {
        execFileSync("fsck.ext4", ["-fy", image], { stdio: "ignore" });
      } catch {
        // 1: it corrected something.
      }
      mountIt();
      await broker.start();
      const acknowledged = await load.check(broker.port);
      figures(`read-only remount, window ${window}`, {
        acknowledged,
        lost: 0,
        refused: load.refused,
        "slowest answer meanwhile (ms)": Math.round(load.slowestPongMs),
      });
    },
  );
});
