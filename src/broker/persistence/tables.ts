import type { Database } from "../../sqlite/database.ts";
import { prepared } from "../../sqlite/prepared.ts";
import type { Qos } from "../codec/packets.ts";
import { ChangeWriter } from "./change-writer.ts";
import type { StoredMessage, SubscriptionRow } from "./changes.ts";
import type { Pending } from "./pending.ts";

type Sql = Database["sql"];

/** Inside a transaction. Safe to repeat. */
export function writePending(sql: Sql, pending: Pending): void {
  writeSessions(sql, pending);
  writeSubscriptions(sql, pending);
  writeMessages(sql, pending);
  writeDeliveries(sql, pending);
  writeReceipts(sql, pending);
  writeRetained(sql, pending);
}

function writeSessions(sql: Sql, { sessions }: Pending): void {
  const put = prepared(sql, "INSERT OR REPLACE INTO session VALUES (?, ?, ?, ?, ?, ?, ?)");
  const forget = ["session WHERE id", "subscription WHERE session", "receipt WHERE session"].map((what) =>
    prepared(sql, `DELETE FROM ${what} = ?`),
  );
  for (const [id, { value: row }] of sessions)
    if (row)
      put.run(id, row.clientId, row.username ?? null, row.aclFile ?? null, row.expiryMs, row.detachedAtMs, row.will);
    else for (const statement of forget) statement.run(id);
}

function writeSubscriptions(sql: Sql, { subscriptions }: Pending): void {
  const put = prepared(sql, "INSERT OR REPLACE INTO subscription VALUES (?, ?, ?, ?)");
  const forget = prepared(sql, "DELETE FROM subscription WHERE session = ? AND filter = ?");
  for (const [session, rows] of subscriptions)
    for (const [filter, { value: row }] of rows)
      if (row) put.run(session, filter, flagsOf(row), row.identifier);
      else forget.run(session, filter);
}

function writeMessages(sql: Sql, { messages }: Pending): void {
  const put = prepared(sql, "INSERT OR REPLACE INTO message VALUES (?, ?, ?, ?, ?, ?, ?)");
  const forget = prepared(sql, "DELETE FROM message WHERE id = ?");
  for (const [id, { value: row }] of messages)
    if (row) put.run(id, ...columnsOf(row));
    else forget.run(id);
}

function writeDeliveries(sql: Sql, { deliveries }: Pending): void {
  const put = prepared(sql, "INSERT OR REPLACE INTO delivery VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
  const change = prepared(
    sql,
    "UPDATE delivery SET packet_id = iif(@packetId = 0, packet_id, @packetId), released = max(released, @released) WHERE id = @id",
  );
  const forget = prepared(sql, "DELETE FROM delivery WHERE id = ?");
  for (const [id, { value }] of deliveries) {
    if (value === undefined) forget.run(id);
    else if (value.row === undefined) change.run({ id, packetId: value.packetId, released: value.released ? 1 : 0 });
    else {
      const { session, message, qos, retain, subscriptionIds, share } = value.row;
      const released = value.released ? 1 : 0;
      const identifiers = subscriptionIds.length === 0 ? "" : subscriptionIds.join(" ");
      put.run(id, session, message, qos | (retain ? 4 : 0), identifiers, value.packetId, released, share);
    }
  }
}

function writeReceipts(sql: Sql, { receipts }: Pending): void {
  const put = prepared(sql, "INSERT OR REPLACE INTO receipt VALUES (?, ?)");
  const forget = prepared(sql, "DELETE FROM receipt WHERE session = ? AND packet_id = ?");
  for (const [session, rows] of receipts)
    for (const [packetId, { value }] of rows)
      if (value) put.run(session, packetId);
      else forget.run(session, packetId);
}

function writeRetained(sql: Sql, { retainedMessages }: Pending): void {
  const put = prepared(sql, "INSERT OR REPLACE INTO retained VALUES (?, ?, ?, ?, ?, ?, ?)");
  const forget = prepared(sql, "DELETE FROM retained WHERE topic = ?");
  for (const [topic, { value: row, sinceMs }] of retainedMessages)
    if (row) put.run(...columnsOf(row), sinceMs);
    else forget.run(Buffer.from(topic, "latin1"));
}

/** Topics whose retained message was published before then and not since, but for those that `pending` changes. */
export function retainedBefore(sql: Sql, beforeMs: number, limit: number, { retainedMessages }: Pending): string[] {
  const topics: string[] = [];
  const found = sql.prepare<[number], Buffer>("SELECT topic FROM retained WHERE since_ms < ?").pluck();
  for (const topic of found.iterate(beforeMs)) {
    if (retainedMessages.has(topic.toString("latin1"))) continue;
    topics.push(topic.toString("utf8"));
    if (topics.length === limit) break;
  }
  return topics;
}

function columnsOf(message: StoredMessage): readonly unknown[] {
  const { topicBytes, qos, retain, expiresAtMs, expiryAt, source, propertiesStart, payloadStart } = message;
  const content = source.subarray(propertiesStart, message.payloadEnd);
  return [topicBytes, qos | (retain ? 4 : 0), expiresAtMs, expiryAt, payloadStart - propertiesStart, content];
}

function flagsOf({ qos, noLocal, retainAsPublished }: SubscriptionRow): number {
  return qos | (noLocal ? 4 : 0) | (retainAsPublished ? 8 : 0);
}

/** Loaded messages lie in their chunk for as long as they are there: it is no larger, so that the last of them holds little. */
const chunkBytes = 65_536;

/** All that is on the disk, as changes: sessions before what is theirs, messages before their deliveries. */
export function load(sql: Sql): { changes: Buffer[]; sessions: number[]; lastId: number } {
  const to = new ChangeWriter();
  const changes: Buffer[] = [];
  const cut = () => {
    if (to.length > chunkBytes) changes.push(to.take());
  };
  const sessions = loadSessions(sql, to);
  loadSubscriptions(sql, to);
  const lastMessage = loadMessages(sql, to, cut);
  const lastDelivery = loadDeliveries(sql, to);
  for (const [session, packetId] of rows<[number, number]>(sql, "SELECT session, packet_id FROM receipt"))
    to.received(session, packetId);
  for (const row of rows<MessageColumns>(sql, "SELECT * FROM retained")) {
    to.retained(messageOf(row));
    cut();
  }
  changes.push(to.take());
  return { changes, sessions, lastId: Math.max(0, lastMessage, lastDelivery, ...sessions) };
}

function loadSessions(sql: Sql, to: ChangeWriter): number[] {
  type Columns = [number, string, string | null, string | null, number, number, Buffer];
  return [...rows<Columns>(sql, "SELECT * FROM session")].map(
    ([id, clientId, name, acl, expiryMs, detachedAtMs, will]) => {
      const [username, aclFile] = [name ?? undefined, acl ?? undefined];
      to.session(id, { clientId, username, aclFile, expiryMs, detachedAtMs, will });
      return id;
    },
  );
}

function loadSubscriptions(sql: Sql, to: ChangeWriter): void {
  for (const row of rows<[number, string, number, number]>(sql, "SELECT * FROM subscription")) {
    const [session, filter, flags, identifier] = row;
    const qos = (flags & 3) as Qos;
    to.subscribed(session, { filter, qos, noLocal: (flags & 4) > 0, retainAsPublished: (flags & 8) > 0, identifier });
  }
}

function loadMessages(sql: Sql, to: ChangeWriter, cut: () => void): number {
  let lastId = 0;
  for (const [id, ...columns] of rows<[number, ...MessageColumns]>(sql, "SELECT * FROM message ORDER BY id")) {
    to.message(id, messageOf(columns));
    cut();
    lastId = id;
  }
  return lastId;
}

function loadDeliveries(sql: Sql, to: ChangeWriter): number {
  let lastId = 0;
  type Columns = [number, number, number, number, string, number, number, string];
  for (const row of rows<Columns>(sql, "SELECT * FROM delivery ORDER BY id")) {
    const [id, session, message, flags, identifiers, packetId, released, share] = row;
    const subscriptionIds = identifiers === "" ? [] : identifiers.split(" ").map(Number);
    to.queued(id, { session, message, qos: (flags & 3) as Qos, retain: (flags & 4) > 0, subscriptionIds, share });
    if (packetId > 0) to.sent(id, packetId);
    if (released === 1) to.released(id);
    lastId = id;
  }
  return lastId;
}

function rows<T>(sql: Sql, query: string): IterableIterator<T> {
  return sql.prepare(query).raw().iterate() as IterableIterator<T>;
}

type MessageColumns = [Buffer, number, number, number, number, Buffer];

function messageOf([topicBytes, flags, expiresAtMs, expiryAt, payloadStart, source]: MessageColumns): StoredMessage {
  const [qos, retain] = [(flags & 3) as Qos, (flags & 4) > 0];
  const payloadEnd = source.length;
  return { topicBytes, qos, retain, expiresAtMs, expiryAt, source, propertiesStart: 0, payloadStart, payloadEnd };
}
