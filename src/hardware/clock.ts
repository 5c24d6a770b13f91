import { execFile } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import type { Clock, SyncState } from "../core/clock.ts";

/** What the clock asks the machine; the real one unless a test says otherwise. */
export interface ClockHost {
  exists(path: string): boolean;
  /** What timedatectl knows, as `NAME=yes` lines; rejects where it is missing or systemd does not run. */
  timedatectl(): Promise<string>;
}

/** systemd-timesyncd touches it at the first synchronisation of each boot (systemd-timesyncd.service(8), Files). */
const TIMESYNC_FILE = "/run/systemd/timesync/synchronized";
/** What a running daemon leaves there; that one is installed says nothing (Debian has timesyncd in every container). */
const NTP_DAEMONS = [
  "/run/systemd/timesync",
  "/run/chrony/chronyd.pid",
  "/run/chronyd.pid",
  "/run/ntpd.pid",
  "/run/ntpd.sock",
  "/run/ntpsec/ntpd.pid",
];
const ASK_AGAIN_MS = 30_000;
const ASK_TIMEOUT_MS = 5_000;
/** setTimeout takes a signed 32-bit number of milliseconds and fires at once beyond. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** The clock of this Linux machine. */
export function linuxClock(host: ClockHost = linuxHost): Clock {
  const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  return {
    wallMs: () => Date.now(),
    monoMs,
    bootId: () => boot,
    syncState: syncWatcher(host, monoMs),
    sleep,
  };
}

/** Node reads CLOCK_MONOTONIC here, as /proc/uptime and kernel timestamps of GPIO events do. */
function monoMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/**
 * Answers at once from what is known and asks in the background, at most each 30 s: a call may come with every reading
 * and must not start a process each time. Until the first answer it is `unsynced`.
 */
export function syncWatcher(host: ClockHost, nowMs: () => number): () => SyncState {
  let known: SyncState = "unsynced";
  let askedMs = Number.NEGATIVE_INFINITY;
  const ask = async () => {
    known = await askHost(host);
  };
  return () => {
    if (host.exists(TIMESYNC_FILE)) return "synced";
    if (nowMs() - askedMs >= ASK_AGAIN_MS) {
      askedMs = nowMs();
      void ask();
    }
    return known;
  };
}

async function askHost(host: ClockHost): Promise<SyncState> {
  const daemonRuns = () => NTP_DAEMONS.some((path) => host.exists(path));
  try {
    const facts = (await host.timedatectl()).split("\n");
    if (facts.includes("NTPSynchronized=yes")) return "synced";
    return facts.includes("NTP=yes") || daemonRuns() ? "unsynced" : "none";
  } catch {
    // Mute (a container, another init): only a daemon that runs makes it worth waiting for.
    return daemonRuns() ? "unsynced" : "none";
  }
}

const linuxHost: ClockHost = {
  exists: existsSync,
  timedatectl: () =>
    new Promise((resolve, reject) => {
      const args = ["show", "-p", "NTP", "-p", "NTPSynchronized"];
      execFile("timedatectl", args, { timeout: ASK_TIMEOUT_MS }, (error, stdout) => {
        if (error) reject(error);
        else resolve(stdout.trim());
      });
    }),
};

/**
 * Node cuts fractions of a millisecond off and counts in whole ones, so a timer may fire up to 1 ms early, too soon for
 * a chip that is still measuring: what is missing is waited for again.
 */
function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const dueMs = monoMs() + ms;
    let timer: NodeJS.Timeout;
    const abort = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const check = () => {
      const leftMs = dueMs - monoMs();
      if (leftMs > 0) {
        timer = setTimeout(check, Math.min(Math.ceil(leftMs), LONGEST_TIMER_MS));
        return;
      }
      signal?.removeEventListener("abort", abort);
      resolve();
    };
    signal?.addEventListener("abort", abort, { once: true });
    check();
  });
}
