/** The database's file name in the store's directory. */
export const DATABASE_NAME = "store.db";

/**
 * The store's schema, version by version (`user_version`).
 *
 * A segment holds records of one boot and one epoch, at positions without a hole: deflated JSON, with our own CRC-32,
 * because SQLite does not see a flipped bit in a blob. `mono0` and `mono1` are the monotonic times (ms) of its first and
 * last record. Positions run over all epochs; `seq = position - epoch.base`.
 *
 * Counters but `head` are named `<destination> <counter>`. A gap is JSON.
 */
export const migrations: readonly string[] = [
  `
  CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE boot(id INTEGER PRIMARY KEY, uuid TEXT NOT NULL UNIQUE, anchors TEXT NOT NULL, seen TEXT);
  CREATE TABLE epoch(epoch INTEGER PRIMARY KEY, base INTEGER NOT NULL, boot INTEGER NOT NULL);
  CREATE TABLE segment(
    position0 INTEGER PRIMARY KEY, count INTEGER NOT NULL, bytes INTEGER NOT NULL, boot INTEGER NOT NULL,
    mono0 INTEGER NOT NULL, mono1 INTEGER NOT NULL, crc INTEGER NOT NULL, data BLOB NOT NULL
  );
  CREATE TABLE cursor(destination TEXT PRIMARY KEY, position INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE counter(name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE dead(
    position INTEGER NOT NULL, destination TEXT NOT NULL, epoch INTEGER NOT NULL, seq INTEGER NOT NULL,
    reason TEXT NOT NULL, payload BLOB NOT NULL, PRIMARY KEY(position, destination)
  ) WITHOUT ROWID;
  CREATE TABLE newest(device TEXT PRIMARY KEY, channels TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE tombstone(device TEXT PRIMARY KEY, wall_ms INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE ledger(
    broker TEXT NOT NULL DEFAULT '', topic TEXT NOT NULL, device TEXT, present INTEGER NOT NULL,
    PRIMARY KEY(broker, topic)
  ) WITHOUT ROWID;
  `,
  `
  CREATE TABLE gap(id INTEGER PRIMARY KEY, gap TEXT NOT NULL);
  UPDATE counter SET name = 'mqtt ' || name WHERE name <> 'head';
  `,
];
