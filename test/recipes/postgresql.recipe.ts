import { execFile, execFileSync } from "node:child_process";
import { chmodSync, chownSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { freePort } from "../support/mosquitto.ts";
import { type Program, program } from "./program.ts";
import { awayAndBack, awayTooLong, missingRanges, readingNames, type Tables } from "./sql-rounds.ts";

const ROOT = "/usr/lib/postgresql";

interface Server extends AsyncDisposable {
  readonly dsn: string;
  query(sql: string): Promise<string[]>;
}

/** Debian's PostgreSQL in a directory of its own. It refuses to run as root. */
async function startPostgres(): Promise<Server> {
  const bin = join(ROOT, readdirSync(ROOT).toSorted().at(-1) ?? "", "bin");
  const uid =
    process.getuid?.() === 0 ? Number(execFileSync("id", ["-u", "postgres"], { encoding: "utf8" })) : undefined;
  const directory = mkdtempSync(join(tmpdir(), "fieldpost-postgres-"));
  chmodSync(directory, 0o700);
  if (uid !== undefined) chownSync(directory, uid, 0);
  const data = join(directory, "data");
  const as = uid === undefined ? {} : { uid };
  execFileSync(join(bin, "initdb"), ["-D", data, "-U", "reader", "-A", "trust"], { ...as, stdio: "ignore" });
  const port = await freePort();
  const dsn = `postgresql://reader@127.0.0.1:${port}/postgres`;
  const isUp = () =>
    execFileAsync(join(bin, "pg_isready"), ["-d", dsn]).then(
      () => true,
      () => false,
    );
  const where = ["-D", data, "-p", `${port}`, "-h", "127.0.0.1", "-k", directory];
  const server: Program = program([join(bin, "postgres"), ...where], { ...as, isReady: isUp });
  await server.start();
  return {
    dsn,
    async query(sql) {
      const { stdout } = await execFileAsync("psql", [dsn, "-At", "-c", sql]);
      return stdout.split("\n").filter((line) => line !== "");
    },
    async [Symbol.asyncDispose]() {
      await server.stop("SIGTERM");
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

const execFileAsync = promisify(execFile);
const tablesOf = (server: Server): Tables => ({
  readings: () => server.query(readingNames),
  missing: () => server.query(missingRanges),
});

test("PostgreSQL has every reading once, over a kill and a time away, with times and values to ask for", async () => {
  await using server = await startPostgres();
  await awayAndBack(server.dsn, tablesOf(server));
  const [asked] = await server.query(
    `SELECT count(*) > 0 AND bool_and((values->>'temperature')::float > -50) AND max(time) <= now() + interval '1 hour'
     FROM reading WHERE device = 'climate'`,
  );
  expect(asked).toBe("t");
});

test("and says exactly what is missing after longer than the broker's queue holds", async () => {
  await using server = await startPostgres();
  await awayTooLong(server.dsn, tablesOf(server));
});
