import { execFile } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { uptime } from "node:os";
import type { Clock, SyncState } from "../core/clock.ts";
import { uptimeClock } from "./uptime.ts";

/** What the clock asks the machine; the real one unless a test says otherwise. */
export interface ClockHost {
  exists(path: string): boolean;
  /** What a program prints; rejects where it is missing, or fails. */
  ask(program: string, args: readonly string[]): Promise<string>;
}

/** systemd-timesyncd touches it at the first synchronisation of each boot (systemd-timesyncd.service(8), Files). */
const TIMESYNC_FILE = "/run/systemd/timesync/synchronized";
/** Of the kernel's flag (adjtimex(2), STA_UNSYNC), which whoever steers the clock clears; there is no file that tells. */
const TIMEDATECTL = ["show", "-p", "NTP", "-p", "NTPSynchronized"];

interface Daemon {
  /** What it leaves while it runs; that one is installed says nothing (Debian has timesyncd in every container). */
  readonly files: readonly string[];
  /** Asks it itself, where the kernel's flag may be mute: chronyd leaves it alone without `rtcsync`. */
  readonly ask?: readonly [program: string, args: readonly string[]];
  readonly synced?: RegExp;
}

const DAEMONS: readonly Daemon[] = [
  { files: ["/run/systemd/timesync"] },
  {
    files: ["/run/chrony/chronyd.pid", "/run/chronyd.pid"],
    ask: ["chronyc", ["-c", "tracking"]],
    // The last field is the leap status, `Not synchronised` before the first measurement (chronyc(1), tracking).
    synced: /,(Normal|Insert second|Delete second)\s*$/,
  },
  {
    files: ["/run/ntpd.pid", "/run/ntpd.sock", "/run/ntpsec/ntpd.pid"],
    ask: ["ntpq", ["-c", "rv 0 leap"]],
    // 11 is the alarm condition (RFC 5905, 7.3).
    synced: /leap=(00|01|10)/,
  },
];
const ASK_AGAIN_MS = 30_000;
const ASK_TIMEOUT_MS = 5_000;
/** Two looks differ by a millisecond or so; slewing moves the clock by half a millisecond a second. */
const JUMP_MS = 100;
/** setTimeout takes a signed 32-bit number of milliseconds and fires at once beyond. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** The clock of this Linux machine. */
export function linuxClock(host: ClockHost = linuxHost): Clock {
  const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  return {
    wallMs: () => Date.now(),
    monoMs,
    bootId: () => boot,
    syncState: syncWatcher(host, monoMs, () => Date.now()),
    sleep,
  };
}

/** One count for the whole process, so that all agree on how long the machine has slept. */
const monoMs = uptimeClock({
  monotonicMs: () => Number(process.hrtime.bigint()) / 1e6,
  wallMs: () => Date.now(),
  uptimeMs: () => uptime() * 1000,
});

/**
 * Answers at once from what is known and asks in the background, at most each 30 s: a call may come with every reading
 * and must not start a process each time. Until the first answer it is `unsynced`, unless timesyncd's file is there.
 *
 * That file stays, though somebody may set the clock by hand: once the kernel's flag was seen raised, it is believed when
 * it falls. After a jump of the clock nothing is believed until the machine was asked again.
 */
export function syncWatcher(host: ClockHost, nowMs: () => number, wallMs: () => number): () => SyncState {
  let known: SyncState | undefined;
  let wasSynced = false;
  let askedMs = Number.NEGATIVE_INFINITY;
  let offsetMs = wallMs() - nowMs();
  let jumps = 0;
  const ask = async (jumpsBefore: number) => {
    const answer = await askHost(host);
    if (jumps !== jumpsBefore) return;
    known = answer;
    wasSynced ||= answer === "synced";
  };
  return () => {
    const beforeMs = offsetMs;
    offsetMs = wallMs() - nowMs();
    if (Math.abs(offsetMs - beforeMs) > JUMP_MS) {
      jumps += 1;
      known = undefined;
      askedMs = Number.NEGATIVE_INFINITY;
    }
    if (nowMs() - askedMs >= ASK_AGAIN_MS) {
      askedMs = nowMs();
      void ask(jumps);
    }
    const isFileValid = !wasSynced && (known !== undefined || jumps === 0);
    return isFileValid && host.exists(TIMESYNC_FILE) ? "synced" : (known ?? "unsynced");
  };
}

async function askHost(host: ClockHost): Promise<SyncState> {
  const facts = (await answerOf(host, "timedatectl", TIMEDATECTL)).split("\n");
  if (facts.includes("NTPSynchronized=yes")) return "synced";
  const running = DAEMONS.filter(({ files }) => files.some((path) => host.exists(path)));
  for (const { ask, synced } of running) if (ask && synced?.test(await answerOf(host, ...ask))) return "synced";
  return facts.includes("NTP=yes") || running.length > 0 ? "unsynced" : "none";
}

/** Nothing where it is mute: a container, another init, a program that is not installed. */
async function answerOf(host: ClockHost, program: string, args: readonly string[]): Promise<string> {
  return await host.ask(program, args).catch(() => "");
}

const linuxHost: ClockHost = {
  exists: existsSync,
  ask: (program, args) =>
    new Promise((resolve, reject) => {
      execFile(program, args, { timeout: ASK_TIMEOUT_MS }, (error, stdout) => {
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
