import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, expect, test } from "vitest";
import { type Book, keepBook } from "../support/book.ts";
import { createGateway, type Gateway } from "../support/gateway.ts";
import { startMosquitto, waitFor } from "../support/mosquitto.ts";
import { figures, rounds } from "./campaign.ts";

const HOUR_S = 3600;
const SOON_MS = 120_000;
/** A busy machine delivers late; a wrong clock is wrong by an hour and more. */
const TOLERANCE_MS = 30_000;

const directory = mkdtempSync(join(tmpdir(), "fieldpost-clock-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** The machine's clock, as the gateway sees it: what it shows, and what `timedatectl` says of it. */
function wrongClock() {
  const library = join(directory, "wrong-clock.so");
  execFileSync("cc", ["-shared", "-fPIC", "-o", library, join(import.meta.dirname, "wrong-clock.c"), "-ldl"]);
  const [offsetFile, answerFile, tools] = ["offset", "answer", "tools"].map((name) => join(directory, name));
  mkdirSync(tools!);
  writeFileSync(join(tools!, "timedatectl"), `#!/bin/sh\nexec cat ${answerFile}\n`, { mode: 0o755 });
  return {
    env: { LD_PRELOAD: library, CLOCK_OFFSET_FILE: offsetFile!, PATH: `${tools}:${process.env.PATH}` },
    set(offsetS: number, synced: boolean) {
      writeFileSync(answerFile!, `NTP=yes\nNTPSynchronized=${synced ? "yes" : "no"}\n`);
      // Of one length, so that nobody reads half of a new one.
      writeFileSync(offsetFile!, String(offsetS * 1000).padEnd(20));
    },
  };
}

/** An hour to a year, in either direction. */
const wrongByS = () => Math.round((Math.random() < 0.5 ? -1 : 1) * HOUR_S * (1 + Math.random() * 24 * 365));

async function killed(gateway: Gateway): Promise<void> {
  gateway.signal("SIGKILL");
  await gateway.exited();
}

const hasNews = (book: Book, before: number) => waitFor(() => book.size > before + 5, "readings", SOON_MS);

// Where the machine's own timesyncd vouches for the clock, no other one can be played.
test.skipIf(existsSync("/run/systemd/timesync/synchronized"))(
  "a clock that starts wrong, is set, set by hand and corrected, over kills before it was right: every reading has its true time",
  async () => {
    const rises = rounds(20, 1);
    const clock = wrongClock();
    await using broker = await startMosquitto({ persistence: true, global: ["max_queued_messages 0"] });
    await using book = await keepBook(broker.url, "fieldpost/gw/+/readings", "book");
    let readings = 0;
    for (let round = 0; round < rises; round++) {
      await using gateway = createGateway(clock.env);
      gateway.configure(`gateway: { id: gw }
mqtt: { url: "${broker.url}" }
devices:
  - { id: a, driver: sht4x, bus: sim, interval: 1s }
  - { id: b, driver: bme280, bus: sim, interval: 1s }
`);
      const startedMs = Date.now();
      clock.set(wrongByS(), false);
      await gateway.run();
      await sleep(2000 + Math.random() * 3000);
      await killed(gateway);
      await gateway.run();
      await sleep(2000 + Math.random() * 3000);
      expect(book.size, "a reading went out before the clock was right").toBe(readings);

      clock.set(0, true);
      await hasNews(book, readings);
      clock.set(wrongByS(), false);
      await sleep(5000 + Math.random() * 10_000);
      clock.set(0, true);
      await hasNews(book, book.size);
      gateway.signal("SIGTERM");
      await gateway.exited();

      const came = book.readings().slice(readings);
      readings = book.size;
      expect(new Set(came.map((reading) => reading.clock))).toEqual(new Set(["synced"]));
      const times = came.map(({ time }) => Date.parse(time));
      expect(Math.min(...times)).toBeGreaterThan(startedMs - 1000);
      expect(Math.max(...times)).toBeLessThan(Date.now() + 1000);
      const lag = book.lagsMs().slice(-5);
      expect(Math.max(...lag.map(Math.abs))).toBeLessThan(TOLERANCE_MS);
      expect(times).toEqual([...times].sort((a, b) => a - b));
    }
    expect(book.violations).toEqual([]);
    expect(book.missing()).toEqual([]);
    figures("steps of the clock", { starts: rises, kills: rises, steps: rises * 3, readings, wrong: 0 });
  },
);
