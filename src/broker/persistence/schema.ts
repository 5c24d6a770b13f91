export const DATABASE_NAME = "broker.db";

/** Times are milliseconds of the broker's own timeline, Infinity where there is no end. */
export const migrations: readonly string[] = [
  `
  CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE session (
    id INTEGER PRIMARY KEY,
    client_id TEXT NOT NULL,
    username TEXT,
    acl_file TEXT,
    expiry_ms REAL NOT NULL,
    detached_at_ms REAL NOT NULL,
    will BLOB NOT NULL
  );
  CREATE TABLE subscription (
    session INTEGER NOT NULL,
    filter TEXT NOT NULL,
    flags INTEGER NOT NULL,
    identifier INTEGER NOT NULL,
    PRIMARY KEY (session, filter)
  ) WITHOUT ROWID;
  CREATE TABLE message (
    id INTEGER PRIMARY KEY,
    topic BLOB NOT NULL,
    flags INTEGER NOT NULL,
    expires_at_ms REAL NOT NULL,
    expiry_at INTEGER NOT NULL,
    payload_start INTEGER NOT NULL,
    content BLOB NOT NULL
  );
  CREATE TABLE delivery (
    id INTEGER PRIMARY KEY,
    session INTEGER NOT NULL,
    message INTEGER NOT NULL,
    flags INTEGER NOT NULL,
    identifiers TEXT NOT NULL,
    packet_id INTEGER NOT NULL,
    released INTEGER NOT NULL
  );
  CREATE TABLE receipt (session INTEGER NOT NULL, packet_id INTEGER NOT NULL, PRIMARY KEY (session, packet_id)) WITHOUT ROWID;
  CREATE TABLE retained (
    topic BLOB PRIMARY KEY,
    flags INTEGER NOT NULL,
    expires_at_ms REAL NOT NULL,
    expiry_at INTEGER NOT NULL,
    payload_start INTEGER NOT NULL,
    content BLOB NOT NULL
  ) WITHOUT ROWID;
  `,
  "ALTER TABLE delivery ADD COLUMN share TEXT NOT NULL DEFAULT ''",
  // Of what was there before nobody knows since when: as far as can be told, since now.
  `
  ALTER TABLE retained ADD COLUMN since_ms REAL NOT NULL DEFAULT 0;
  UPDATE retained SET since_ms = coalesce((SELECT json_extract(value, '$.ownMs') FROM meta WHERE key = 'mark'), 0);
  `,
];
