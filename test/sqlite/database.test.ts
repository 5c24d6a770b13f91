import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { isGatewayError } from "../../src/core/errors.ts";
import { Database, openReadOnly } from "../../src/sqlite/database.ts";
import { asStoreError, carryError, uncarryError } from "../../src/sqlite/errors.ts";
import { quarantine } from "../../src/sqlite/files.ts";
import { lockFile } from "../../src/sqlite/lock.ts";

const V1 = "CREATE TABLE note(id INTEGER PRIMARY KEY, text TEXT NOT NULL);";
const V2 = "ALTER TABLE note ADD COLUMN author TEXT;";

let dir: string;
let path: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "fieldpost-sqlite-"));
  path = join(dir, "a.db");
});
afterEach(() => rmSync(dir, { recursive: true }));

function addNote(database: Database, text: string): void {
  database.transact(text.length, () => database.sql.prepare("INSERT INTO note(text) VALUES (?)").run(text));
}

function notes(database: Database): unknown[] {
  return database.sql.prepare("SELECT text FROM note ORDER BY id").pluck().all();
}

function codeOf(work: () => unknown): string | undefined {
  try {
    work();
  } catch (error) {
    const known = asStoreError(error);
    return isGatewayError(known) ? known.code : `unknown: ${error}`;
  }
  return undefined;
}

describe("a database", () => {
  it("is opened with the pragmas that spare the card", () => {
    const { sql } = new Database({ path, migrations: [V1] });
    const pragma = (name: string) => sql.pragma(name, { simple: true });
    expect(pragma("journal_mode")).toBe("wal");
    expect(pragma("synchronous")).toBe(1);
    expect(pragma("page_size")).toBe(4096);
    expect(pragma("auto_vacuum")).toBe(2);
    expect(pragma("wal_autocheckpoint")).toBe(0);
    expect(pragma("journal_size_limit")).toBe(4194304);
    expect(pragma("cell_size_check")).toBe(1);
    sql.close();
  });

  it("keeps what was written, over a reopening", () => {
    const first = new Database({ path, migrations: [V1] });
    addNote(first, "a");
    first.sync();
    first.close();
    const second = new Database({ path, migrations: [V1] });
    expect(notes(second)).toEqual(["a"]);
    second.close();
  });

  it("migrates an older schema and keeps the rows", () => {
    const old = new Database({ path, migrations: [V1] });
    addNote(old, "a");
    old.close();
    const migrated = new Database({ path, migrations: [V1, V2] });
    expect(migrated.sql.prepare("SELECT text, author FROM note").all()).toEqual([{ text: "a", author: null }]);
    migrated.close();
  });

  it("stays as it was when a migration fails half-way", () => {
    new Database({ path, migrations: [V1] }).close();
    const broken = "CREATE TABLE half(id); CREATE TABLE note(id);";
    expect(() => new Database({ path, migrations: [V1, broken] })).toThrow("already exists");
    const same = new Database({ path, migrations: [V1] });
    expect(same.sql.prepare("SELECT count(*) FROM sqlite_schema WHERE name = 'half'").pluck().get()).toBe(0);
    same.close();
  });

  it("refuses a newer schema and leaves every byte untouched", () => {
    new Database({ path, migrations: [V1, V2] }).close();
    const before = readFileSync(path);
    expect(codeOf(() => new Database({ path, migrations: [V1] }))).toBe("STORE_NEWER");
    expect(readFileSync(path).equals(before)).toBe(true);
  });

  it("says STORE_CORRUPT of what is not a database, and of a damaged page", () => {
    writeFileSync(path, "this is not SQLite, but it is long enough to be looked at".repeat(100));
    expect(codeOf(() => new Database({ path, migrations: [V1] }))).toBe("STORE_CORRUPT");
    rmSync(path);

    const database = new Database({ path, migrations: [V1] });
    for (let n = 0; n < 200; n++) addNote(database, "x".repeat(500));
    database.close();
    const bytes = readFileSync(path);
    bytes.fill(0x5a, 3 * 4096, 8 * 4096);
    writeFileSync(path, bytes);
    expect(codeOf(() => new Database({ path, migrations: [V1] }))).toBe("STORE_CORRUPT");
  });

  it("works a long WAL into the database when asked", () => {
    const database = new Database({ path, migrations: [V1] });
    for (let n = 0; n < 200; n++) addNote(database, "x".repeat(2000));
    database.checkpointIfDue();
    expect(readFileSync(path).byteLength).toBeGreaterThan(200 * 2000);
    database.close();
  });

  it("can be read by another connection while it is in use", () => {
    const database = new Database({ path, migrations: [V1] });
    addNote(database, "a");
    const reader = openReadOnly(path);
    expect(reader.prepare("SELECT count(*) FROM note").pluck().get()).toBe(1);
    reader.close();
    database.close();
  });
});

describe("quarantine", () => {
  it("moves the database and its companions aside under a name with the time, and never over another", () => {
    const now = Date.parse("2026-03-04T05:06:07.890Z");
    for (const suffix of ["", "-wal", "-shm"]) writeFileSync(path + suffix, `1${suffix}`);
    expect(quarantine(path, now)).toBe(`${path}.corrupt-20260304T050607Z`);
    writeFileSync(path, "2");
    quarantine(path, now);
    expect(readdirSync(dir).sort()).toEqual([
      "a.db.corrupt-20260304T050607Z",
      "a.db.corrupt-20260304T050607Z-2",
      "a.db.corrupt-20260304T050607Z-shm",
      "a.db.corrupt-20260304T050607Z-wal",
    ]);
  });
});

describe("a lock file", () => {
  it("is held once, and free again when it is let go", () => {
    const lock = lockFile(path);
    expect(codeOf(() => lockFile(path))).toBe("STORE_LOCKED");
    lock[Symbol.dispose]();
    lockFile(path)[Symbol.dispose]();
  });
});

describe("errors through a message port", () => {
  it("keep their code, their sentence and their stack", () => {
    const disk = Object.assign(new Error("no space left on device"), { code: "ENOSPC" });
    const error = uncarryError(structuredClone(carryError(disk)));
    expect(isGatewayError(error, "STORE_FULL")).toBe(true);
    expect(error.message).toContain("no space left");
    expect(error.stack).toContain("database.test.ts");
  });

  it("stay nameless when they are bugs", () => {
    expect(isGatewayError(uncarryError(carryError(new TypeError("x is not a function"))))).toBe(false);
  });
});
