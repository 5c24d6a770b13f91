import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { expect, test } from "vitest";
import { startMosquitto } from "../support/mosquitto.ts";
import { BACKLOG, type End, type Look } from "./backlog-program.ts";
import { figures, rounds } from "./campaign.ts";

const MB = 1e6;
/** As systemd/fieldpost.service runs Node. */
const AS_INSTALLED = { MALLOC_ARENA_MAX: "2", NODE_OPTIONS: "--max-semi-space-size=2 --v8-pool-size=0" };
/** What a process takes until it has done everything once, and SQLite has filled its cache. */
const WARM_UP = 0.3;
const MOST_MB = 200;
/** Ten million readings may leave it larger by so much: a byte a reading would be 10 MB. */
const GROWTH_MB = 10;

/** How memory goes with the number of readings: least squares, in bytes a reading. */
function slopeOf(looks: readonly Look[]): number {
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [x, y] = [mean(looks.map(({ readings }) => readings)), mean(looks.map(({ rssBytes }) => rssBytes))];
  const above = looks.reduce((sum, { readings, rssBytes }) => sum + (readings - x) * (rssBytes - y), 0);
  return above / looks.reduce((sum, { readings }) => sum + (readings - x) ** 2, 0);
}

test("a backlog builds and drains in a memory that does not grow with it", async () => {
  const readings = rounds(10_000_000, 200_000);
  const card = mkdtempSync(join(tmpdir(), "fieldpost-backlog-"));
  const staging = mkdtempSync("/dev/shm/fieldpost-backlog-");
  await using broker = await startMosquitto({ quiet: true, global: ["max_inflight_messages 0"] });
  const args = ["--input-type=module", "-e", BACKLOG, card, staging, String(readings), broker.url];
  const child = spawn(process.execPath, args, {
    env: { ...process.env, ...AS_INSTALLED },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const looks: Look[] = [];
  let end: End | undefined;
  try {
    for await (const line of createInterface(child.stdout)) {
      const said: Look | End = JSON.parse(line);
      if ("phase" in said) looks.push(said);
      else end = said;
      if ("phase" in said && looks.length % 10 === 0)
        figures(`backlog ${said.phase}`, { readings: said.readings, mb: Math.round(said.rssBytes / MB) });
    }
  } finally {
    child.kill("SIGKILL");
    for (const directory of [card, staging]) rmSync(directory, { recursive: true, force: true });
  }
  if (!end) throw new Error("it ended before the backlog did");

  const most = Math.round(Math.max(...looks.map(({ rssBytes }) => rssBytes)) / MB);
  const phase = (name: Look["phase"]) => looks.filter((one) => one.phase === name);
  const [builds, drains] = [phase("builds"), phase("drains")].map((all) =>
    slopeOf(all.slice(Math.ceil(all.length * WARM_UP))),
  ) as [number, number];
  figures("backlog", {
    readings,
    mb_on_disk: Math.round(end.bytesOnDisk / MB),
    opened_ms: Math.round(end.openedMs),
    drained_s: Math.round(end.drainedMs / 1000),
    most_mb: most,
    bytes_a_reading_building: builds.toFixed(2),
    bytes_a_reading_draining: drains.toFixed(2),
  });
  expect(end.counters).toMatchObject({ pending: 0, dropped: {} });
  expect(end.counters.delivered).toBeGreaterThan(readings);
  expect(most).toBeLessThanOrEqual(MOST_MB);
  // Few readings say little of a slope; then the limit on all of it has to do.
  if (readings < 1_000_000) return;
  expect(Math.max(builds, drains) * 10_000_000).toBeLessThanOrEqual(GROWTH_MB * MB);
});
