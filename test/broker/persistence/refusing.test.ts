import { join } from "node:path";
import Sqlite from "better-sqlite3";
import { expect, test } from "vitest";
import { ChangeWriter } from "../../../src/broker/persistence/change-writer.ts";
import type { StoredMessage } from "../../../src/broker/persistence/changes.ts";
import { compacted } from "../../../src/broker/persistence/compact.ts";
import { Journal } from "../../../src/broker/persistence/journal.ts";
import { Turn } from "../../../src/broker/turn.ts";
import { fakeLog } from "../../fakes/log.ts";
import { subscribe } from "../support/broker.ts";
import { FakeTimers } from "../support/timers.ts";
import { Disk } from "./disk.ts";

function retained(topic: string, payload: Buffer): StoredMessage {
  const place = { propertiesStart: 0, payloadStart: 0, payloadEnd: payload.length, expiryAt: -1 };
  const topicBytes = Buffer.from(topic);
  return { topicBytes, source: payload, ...place, qos: 0, retain: true, expiresAtMs: Number.POSITIVE_INFINITY };
}

test.each([0, 5000])(
  "while the disk refuses everything, what is retained again and again waits once (window %d ms)",
  async (windowMs) => {
    using disk = new Disk();
    const [timers, turn] = [new FakeTimers(), new Turn()];
    const options = { directory: disk.path, stagingPath: join(disk.path, "staging"), windowMs };
    const { journal } = await Journal.open(options, { clock: disk.clock, log: fakeLog(), timers, turn });
    const fault = () => {
      timers.advance(1000);
      return journal.failure?.code;
    };
    const other = new Sqlite(join(disk.path, "broker.db"));
    other.exec("BEGIN IMMEDIATE");
    journal.changes.retained(retained("first", Buffer.from("1")));
    await expect.poll(fault, { timeout: 15_000 }).toBe("STORE_IO");
    const payload = Buffer.alloc(100_000);
    for (let n = 0; n < 500; n++) {
      payload.writeUInt32LE(n);
      journal.changes.retained(retained(`t/${n % 10}`, payload));
      await new Promise(setImmediate);
    }
    expect(journal.congested).toBe(false); // 50 MB were told
    other.exec("ROLLBACK");
    other.close();
    await expect.poll(fault, { timeout: 15_000 }).toBeUndefined();
    await journal[Symbol.asyncDispose]();
    await using broker = await disk.broker(windowMs);
    const reader = await broker.join("reader", 5);
    await subscribe(reader, "#");
    const kept = (await reader.untilPong()).flatMap((packet) =>
      packet.type === "publish" ? [[packet.topic, packet.topic === "first" ? 1 : packet.payload.readUInt32LE()]] : [],
    );
    expect(Object.fromEntries(kept)).toEqual({
      first: 1,
      ...Object.fromEntries(Array.from({ length: 10 }, (_, n) => [`t/${n}`, 490 + n])),
    });
  },
);

test("compacted changes say what became of everything, also of what was there before", () => {
  const [writer, expected] = [new ChangeWriter(), new ChangeWriter()];
  const row = {
    clientId: "c",
    username: undefined,
    aclFile: undefined,
    expiryMs: 1,
    detachedAtMs: 2,
    will: Buffer.alloc(0),
  };
  const subscription = { filter: "f", qos: 1, noLocal: false, retainAsPublished: true, identifier: 3 } as const;
  const delivery = {
    session: 1,
    message: 5,
    qos: 2,
    retain: false,
    subscriptionIds: [7],
    share: "$share/g/f",
  } as const;
  const message = retained("t", Buffer.from("payload"));
  writer.session(1, { ...row, expiryMs: 9 });
  writer.received(2, 4);
  writer.sessionEnded(2);
  writer.received(1, 12);
  writer.receiptEnded(1, 13);
  writer.subscribed(1, subscription);
  writer.unsubscribed(1, "gone");
  writer.message(5, message);
  writer.messageForgotten(4);
  writer.queued(6, delivery);
  writer.sent(6, 11);
  writer.released(6);
  writer.sent(3, 10);
  writer.finished(2);
  writer.retained(message);
  writer.cleared(Buffer.from("ü"));
  writer.session(1, row);
  expected.session(1, row);
  expected.sessionEnded(2);
  expected.subscribed(1, subscription);
  expected.unsubscribed(1, "gone");
  expected.message(5, message);
  expected.messageForgotten(4);
  expected.queued(6, delivery);
  expected.sent(6, 11);
  expected.released(6);
  expected.sent(3, 10);
  expected.finished(2);
  expected.received(1, 12);
  expected.receiptEnded(1, 13);
  expected.retained(message);
  expected.cleared(Buffer.from("ü"));
  expect(compacted([writer.take()])).toEqual(expected.take());
});
