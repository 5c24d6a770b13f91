import { describe, expect, it } from "vitest";
import { type ClockHost, linuxClock, syncWatcher } from "../../src/hardware/clock.ts";
import { type UptimeHost, uptimeClock } from "../../src/hardware/uptime.ts";
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

  function watch(host: { files?: string[]; answer?: () => Promise<string>; daemon?: [program: string, says: string] }) {
    let nowMs = 0;
    let setByMs = 0;
    let asked = 0;
    const fake: ClockHost = {
      exists: (path) => host.files?.includes(path) ?? false,
      async ask(program) {
        if (program === host.daemon?.[0]) return host.daemon[1];
        if (program !== "timedatectl" || !host.answer) throw new Error(`there is no ${program} here`);
        asked += 1;
        return await host.answer();
      },
    };
    const state = syncWatcher(
      fake,
      () => nowMs,
      () => nowMs + setByMs,
    );
    return {
      state,
      asked: () => asked,
      async settled() {
        state();
        await new Promise(setImmediate);
        await new Promise(setImmediate);
        return state();
      },
      pass: (ms: number) => {
        nowMs += ms;
      },
      setClock: (byMs: number) => {
        setByMs += byMs;
      },
    };
  }

  it("believes timesyncd's file before and without any answer", async () => {
    const watcher = watch({ files: [SYNC_FILE] });
    expect(watcher.state()).toBe("synced");
    expect(await watcher.settled()).toBe("synced");
  });

  it("believes the kernel's flag rather than timesyncd's file once it was raised, when the clock is set by hand", async () => {
    let answer = "NTP=yes\nNTPSynchronized=yes";
    const watcher = watch({ files: [SYNC_FILE], answer: async () => answer });
    expect(await watcher.settled()).toBe("synced");
    answer = "NTP=yes\nNTPSynchronized=no";
    watcher.setClock(-3_600_000);
    expect(watcher.state()).toBe("unsynced");
    expect(await watcher.settled()).toBe("unsynced");
    answer = "NTP=yes\nNTPSynchronized=yes";
    watcher.setClock(3_600_000);
    expect(await watcher.settled()).toBe("synced");
  });

  it("does not believe an answer that was under way when the clock jumped", async () => {
    let answer: (text: string) => void = () => {};
    const watcher = watch({ answer: () => new Promise((resolve) => (answer = resolve)) });
    watcher.state();
    const early = answer;
    watcher.setClock(5000);
    watcher.state();
    early("NTP=yes\nNTPSynchronized=yes");
    expect(await watcher.settled()).toBe("unsynced");
    answer("NTP=yes\nNTPSynchronized=yes");
    expect(await watcher.settled()).toBe("synced");
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

  it("asks chronyd and ntpd themselves where the kernel's flag says nothing", async () => {
    const chrony = { files: ["/run/chrony/chronyd.pid"], answer: async () => "NTP=yes\nNTPSynchronized=no" };
    const tracking = (leap: string) =>
      `A29FC87B,192.0.2.1,3,1764250000.1,0.0001,0,0.0001,1.2,0,0.1,0.01,0.001,64.2,${leap}`;
    expect(await watch({ ...chrony, daemon: ["chronyc", tracking("Normal")] }).settled()).toBe("synced");
    expect(await watch({ ...chrony, daemon: ["chronyc", tracking("Not synchronised")] }).settled()).toBe("unsynced");
    const ntp = { files: ["/run/ntpsec/ntpd.pid"] };
    expect(await watch({ ...ntp, daemon: ["ntpq", "leap=00"] }).settled()).toBe("synced");
    expect(await watch({ ...ntp, daemon: ["ntpq", "leap=11"] }).settled()).toBe("unsynced");
  });
});

describe("the time since the machine booted", () => {
  function machine({ uptimeIsOurs = true } = {}) {
    let [awakeMs, sleptMs, wallMs] = [5000, 0, Date.parse("2026-06-01T12:00:00Z")];
    const host: UptimeHost = {
      monotonicMs: () => awakeMs,
      wallMs: () => wallMs,
      uptimeMs: () => (uptimeIsOurs ? Math.floor((awakeMs + sleptMs) / 10) * 10 : 1000),
    };
    return {
      sinceBootMs: uptimeClock(host),
      again: () => uptimeClock(host),
      pass(ms: number) {
        awakeMs += ms;
        wallMs += ms;
      },
      suspend(ms: number) {
        sleptMs += ms;
        wallMs += ms;
      },
      step(ms: number) {
        wallMs += ms;
      },
    };
  }

  it("counts the time that the machine was suspended, though CLOCK_MONOTONIC stood still", () => {
    const { sinceBootMs, pass, suspend } = machine();
    const beforeMs = sinceBootMs();
    pass(1003);
    suspend(3_600_000);
    pass(7);
    expect(Math.abs(sinceBootMs() - beforeMs - 3_601_010)).toBeLessThanOrEqual(10);
  });

  it("goes on the same in the next process of that boot", () => {
    const { sinceBootMs, suspend, pass, again } = machine();
    suspend(3_600_000);
    pass(500);
    expect(Math.abs(sinceBootMs() - again()())).toBeLessThanOrEqual(10);
  });

  it("does not move when the clock is set", () => {
    const { sinceBootMs, step } = machine();
    const beforeMs = sinceBootMs();
    step(3_600_000);
    expect(sinceBootMs()).toBe(beforeMs);
    step(-7_200_000);
    expect(sinceBootMs()).toBe(beforeMs);
  });

  it("is CLOCK_MONOTONIC where a container shows an uptime of its own", () => {
    const { sinceBootMs, step } = machine({ uptimeIsOurs: false });
    step(500);
    expect(sinceBootMs()).toBe(5000);
  });
});
