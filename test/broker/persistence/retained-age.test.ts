import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { DATABASE_NAME, migrations } from "../../../src/broker/persistence/schema.ts";
import { Database } from "../../../src/sqlite/database.ts";
import { openTestBroker, type TestBroker } from "../support/broker.ts";
import { publishPacket } from "../support/peer.ts";
import { Disk } from "./disk.ts";

const DAY_MS = 86_400_000;

async function retain({ join: joined }: TestBroker, messages: Readonly<Record<string, string>>): Promise<void> {
  const peer = await joined("publisher", 5);
  for (const [topic, payload] of Object.entries(messages)) {
    peer.send(publishPacket(topic, payload, { qos: 1, retain: true }));
    await peer.nextOf("puback");
  }
  peer.socket.destroy();
}

describe.each([0, 5000])("with a persistence window of %d ms", (windowMs) => {
  test("since when nothing was published on a retained topic is known over restarts, whoever's it is", async () => {
    using disk = new Disk();
    {
      await using first = await disk.broker(windowMs);
      await retain(first, { lamp: "on", meter: "1", blind: "up", "ü/é": "x" });
    }
    disk.monoMs += 40 * DAY_MS;
    {
      await using second = await disk.broker(windowMs);
      await retain(second, { meter: "1", blind: "", door: "open" });
      expect((await second.broker.retainedFor(30 * DAY_MS, 10))?.toSorted()).toEqual(["lamp", "ü/é"]);
    }
    disk.monoMs += DAY_MS;
    await using third = await disk.broker(windowMs);
    expect((await third.broker.retainedFor(30 * DAY_MS, 10))?.toSorted()).toEqual(["lamp", "ü/é"]);
    expect((await third.broker.retainedFor(DAY_MS / 2, 10))?.toSorted()).toEqual(["door", "lamp", "meter", "ü/é"]);
    expect(await third.broker.retainedFor(DAY_MS / 2, 3)).toHaveLength(3);
    expect(await third.broker.retainedFor(50 * DAY_MS, 10)).toEqual([]);
  });
});

test("what an earlier version's database retained counts from its last sign of life", async () => {
  using disk = new Disk();
  {
    await using before = await disk.broker(0);
    await retain(before, { lamp: "on" });
  }
  const path = join(disk.path, DATABASE_NAME);
  {
    // As that version left it.
    const database = new Database({ path, migrations });
    database.sql.exec("ALTER TABLE retained DROP COLUMN since_ms");
    database.sql.pragma(`user_version = ${migrations.length - 1}`);
    const mark = { ownMs: 30 * DAY_MS, boot: disk.boot, monoMs: disk.monoMs, wallMs: disk.wallMs };
    database.sql.prepare("INSERT OR REPLACE INTO meta VALUES ('mark', ?)").run(JSON.stringify(mark));
    database.close();
  }
  disk.monoMs += 2 * DAY_MS;
  await using after = await disk.broker(0);
  expect(await after.broker.retainedFor(3 * DAY_MS, 10)).toEqual([]);
  expect(await after.broker.retainedFor(DAY_MS, 10)).toEqual(["lamp"]);
});

test("a broker without persistence does not know", async () => {
  await using broker = await openTestBroker();
  await retain(broker, { lamp: "on" });
  expect(await broker.broker.retainedFor(0, 10)).toBeUndefined();
});
