/** The sink's tables, version by version: what arrived, what will not, and how far all of it is there. */
export const sinkMigrations: readonly string[] = [
  `
  CREATE TABLE reading(
    gateway TEXT NOT NULL, epoch INTEGER NOT NULL, seq INTEGER NOT NULL, device TEXT NOT NULL, time TEXT NOT NULL,
    clock TEXT NOT NULL, "values" TEXT NOT NULL, PRIMARY KEY(gateway, epoch, seq)
  ) WITHOUT ROWID;
  CREATE TABLE gap(
    gateway TEXT NOT NULL, epoch INTEGER NOT NULL, from_seq INTEGER NOT NULL, to_seq INTEGER NOT NULL,
    reason TEXT NOT NULL, PRIMARY KEY(gateway, epoch, from_seq, to_seq)
  ) WITHOUT ROWID;
  CREATE TABLE epoch(
    gateway TEXT NOT NULL, epoch INTEGER NOT NULL, last INTEGER NOT NULL, PRIMARY KEY(gateway, epoch)
  ) WITHOUT ROWID;
  CREATE TABLE progress(gateway TEXT PRIMARY KEY, epoch INTEGER NOT NULL, seq INTEGER NOT NULL) WITHOUT ROWID;
  `,
];
