import { describe, expect, it } from "vitest";
import { type ClockHost, linuxClock, syncWatcher } from "../../src/hardware/clock.ts";
import { clockContract } from "../contracts/clock.ts";
import { FakeClock } from "../fakes/clock.ts";

clockContract("the Linux clock", () => {
  const clock = linuxClock();
  return { clock, pass: (ms) => clock.sleep(ms) };
});

clockContract("the fake clock", () => {
  const clock = new FakeClock();
  return { clock, pass: (ms) => clock.advance(ms) };
});

describe("sync state", () => {
  const SYNC_FILE = "/run/systemd/timesync/synchronized";

  function watch(host: { files?: string[]; answer?: () => Promise<string> }) {
    let nowMs = 0;
    let asked = 0;
    const fake: ClockHost = {
      exists: (path) => host.files?.includes(path) ?? false,
      timedatectl: () => {
        asked += 1;
        return host.answer ? host.answer() : Promise.reject(new Error("no systemd here"));
      },
    };
    const state = syncWatcher(fake, () => nowMs);
    return {
      state,
      asked: () => asked,
      async settled() {
        state();
        await new Promise(setImmediate);
        return state();
      },
      pass: (ms: number) => {
        nowMs += ms;
      },
    };
  }

  it("believes timesyncd's file without asking anyone", () => {
    const watcher = watch({ files: [SYNC_FILE] });
    expect(watcher.state()).toBe("synced");
    expect(watcher.asked()).toBe(0);
  });

  it("is unsynced until timedatectl has answered, then as it says", async () => {
    const watcher = watch({ answer: async () => "NTP=yes\nNTPSynchronized=yes" });
    expect(watcher.state()).toBe("unsynced");
    expect(await watcher.settled()).toBe("synced");
  });

  it("asks timedatectl at most each 30 s", async () => {
    let answer = "NTP=yes\nNTPSynchronized=no";
    const watcher = watch({ answer: async () => answer });
    expect(await watcher.settled()).toBe("unsynced");
    answer = "NTP=yes\nNTPSynchronized=yes";
    watcher.pass(29_999);
    expect(await watcher.settled()).toBe("unsynced");
    expect(watcher.asked()).toBe(1);
    watcher.pass(1);
    expect(await watcher.settled()).toBe("synced");
  });

  it("has no time source where systemd runs none", async () => {
    const answer = async () => "NTP=no\nNTPSynchronized=no";
    expect(await watch({ answer }).settled()).toBe("none");
    expect(await watch({ answer, files: ["/run/chrony/chronyd.pid"] }).settled()).toBe("unsynced");
  });

  it("has no time source where timedatectl is mute and no daemon runs, though one may be installed", async () => {
    expect(await watch({ files: ["/usr/lib/systemd/systemd-timesyncd"] }).settled()).toBe("none");
    expect(await watch({ files: ["/run/chrony/chronyd.pid"] }).settled()).toBe("unsynced");
  });
});
