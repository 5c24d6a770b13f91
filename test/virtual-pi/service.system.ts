import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  configuration,
  devices,
  MOSQUITTO_PORT,
  missing,
  type ReadingPayload,
  throughMosquitto,
  topic,
} from "./bench.ts";
import { TREE } from "./boot.ts";
import { attempt, eventually, powerCycle, run, warm, wire, writeJson } from "./guest.ts";
import { bosch280, mild } from "./sensors.ts";
import { type Collector, openCollector, retained, type Subscriber, subscribe } from "./subscriber.ts";

const SOON_MS = 90_000;
const CONFIG = "/etc/fieldpost/fieldpost.yaml";
const STORE = "/var/lib/fieldpost";
const COMMIT_WINDOW_S = 5;
const SYNC_S = 2;
const READINGS_PER_S = 1 + 1 / 3 + 1 / 3 + 1 / 30;

const install = () => attempt(`cd ${TREE} && scripts/install --prebuilt`);
const property = (name: string) => run(`systemctl show -P ${name} fieldpost`);
const configure = (wanted: readonly object[]) => writeJson(CONFIG, configuration(STORE, throughMosquitto, wanted));

/** Files of the whole machine, but for what changes by itself and what stands where users work. */
const inventory = () =>
  run(
    "find / -xdev \\( -path /proc -o -path /sys -o -path /tmp -o -path /var/tmp -o -path /home -o -path /root -o -path /var/log " +
      "-o -path /var/lib/mosquitto \\) -prune -o -print; find /run/fieldpost /dev/shm 2>/dev/null || true; cut -d: -f1 /etc/passwd /etc/group",
  ).then((text) => new Set(text.split("\n")));

async function subscribing<T>(use: (subscriber: Subscriber) => Promise<T>): Promise<T> {
  await using subscriber = subscribe(MOSQUITTO_PORT, topic("#"));
  return await use(subscriber);
}

/** Every reading since before the service was installed. */
async function collected(): Promise<ReadingPayload[]> {
  return (await collector.collect()).map(({ payload }) => payload as ReadingPayload);
}

/** Different readings of these epochs: a reading that comes twice counts once. */
const distinct = (readings: readonly ReadingPayload[]): number =>
  new Set(readings.map(({ epoch, seq }) => `${epoch}/${seq}`)).size;

interface Report {
  readonly counters: { readonly sampled: number; readonly pending: number };
  readonly devices: readonly { readonly id: string; readonly online: boolean }[];
}

/** `fieldpost status --json`, once it is as asked. */
const status = (matches: (report: Report) => boolean, what: string) =>
  eventually(
    async () => {
      const { code, stdout } = await attempt("fieldpost status --json");
      if ((code !== 0 && code !== 1) || stdout === "") return undefined;
      const report = JSON.parse(stdout) as Report;
      return matches(report) ? report : undefined;
    },
    SOON_MS,
    what,
  );

let before: Set<string>;
let collector: Collector;

beforeAll(async () => {
  await run("systemctl start mosquitto");
  await wire({ "76": bosch280("60", mild) });
  await warm(0, 21.5);
  before = await inventory();
  collector = await openCollector(MOSQUITTO_PORT, topic("+/readings"));
});

afterAll(async () => {
  await attempt("/opt/fieldpost/scripts/uninstall --force --purge");
  await run("systemctl stop mosquitto; rm -f /run/vi2c.json");
});

describe("installed as a service", () => {
  test("it starts, answers, and says what to enter in Home Assistant", async () => {
    await configure(devices);
    const { code, stdout, stderr } = await install();
    expect(code, stderr).toBe(0);
    expect(stdout).toContain(`broker mqtt://127.0.0.1:${MOSQUITTO_PORT}`);
    expect(stdout).not.toContain("bundled broker");
    expect(await property("ActiveState")).toBe("active");
    await subscribing((subscriber) =>
      subscriber.message<{ temperature: number }>(topic("flow/state"), (state) => state.temperature === 21.5, SOON_MS),
    );
  });

  test("it runs as an unprivileged user, in a tight unit", async () => {
    const pid = await property("MainPID");
    expect(await run(`ps -o user= -p ${pid}`)).toBe("fieldpost");
    expect(await run(`grep CapEff /proc/${pid}/status`)).toMatch(/\t0+$/);
    const exposure = /level for fieldpost.service: ([\d.]+)/.exec(await run("systemd-analyze security fieldpost"));
    expect(Number(exposure?.[1])).toBeLessThan(2);
  });

  test("every device is read: the unit leaves the buses open", async () => {
    const report = await status(({ devices: all }) => all.every(({ online }) => online), "all devices are online");
    expect(report.devices.map(({ id }) => id).sort()).toEqual(["climate", "door", "flow", "return"]);
  });

  test("asked which one it is, it blinks the board's LED, though it is nobody's root", async () => {
    const trigger = "/sys/class/leds/ACT/trigger";
    expect(await run(`stat -c '%a %U:%G' ${trigger}`)).toBe("664 root:fieldpost");
    expect(await run(`cat ${trigger}`)).toContain("[none]");
    await subscribing(async (subscriber) => {
      await run(`mosquitto_pub -p ${MOSQUITTO_PORT} -q 1 -t ${topic("request/identify")} -m '{}'`);
      const answered = ({ blinks }: { blinks: boolean }) => blinks;
      await subscriber.message(topic("response/identify"), answered, SOON_MS);
      const shows = (what: string) =>
        eventually(async () => (await run(`cat ${trigger}`)).includes(`[${what}]`) || undefined, SOON_MS, what);
      await shows("timer");
      await shows("none");
    });
  });

  test("installed again, it goes on with the same configuration and the same readings", async () => {
    const config = await run(`sha256sum ${CONFIG}`);
    const sampled = (await status(() => true, "it answers")).counters.sampled;
    const { code, stderr } = await install();
    expect(code, stderr).toBe(0);
    expect(await run(`sha256sum ${CONFIG}`)).toBe(config);
    expect((await status(() => true, "it answers")).counters.sampled).toBeGreaterThanOrEqual(sampled);
  });

  test("a version that the configuration does not suit is not installed", async () => {
    const pid = await property("MainPID");
    await configure([{ id: "climate", driver: "bme820" }]);
    const { code, stderr } = await install();
    await configure(devices);
    expect(code).toBe(1);
    expect(stderr).toContain("bme820");
    expect(await property("MainPID")).toBe(pid);
  });
});

describe("reloaded", () => {
  const vitals = { id: "vitals", driver: "host", interval: "5s" };

  test("with a good configuration, it reads the new device, and is the same process", async () => {
    const pid = await property("MainPID");
    await configure([...devices, vitals]);
    await subscribing(async (subscriber) => {
      await run("systemctl reload fieldpost");
      await subscriber.message(topic("vitals/status"), (payload) => payload === "online", SOON_MS);
    });
    expect(await property("MainPID")).toBe(pid);
  });

  test("with a wrong one, it says what is wrong and goes on with the old one", async () => {
    const pid = await property("MainPID");
    const since = await run("date +%s");
    await configure([{ id: "climate", driver: "bme820" }]);
    await run("systemctl reload fieldpost");
    await eventually(
      async () => (await run(`journalctl -u fieldpost --since @${since} -o cat | grep bme820 || true`)) || undefined,
      SOON_MS,
      "the journal names the mistake",
    );
    await subscribing((subscriber) => {
      const isNew = ({ replay }: ReadingPayload) => !replay;
      return subscriber.message<ReadingPayload>(topic("climate/readings"), isNew, SOON_MS);
    });
    expect(await property("MainPID")).toBe(pid);
    await configure(devices);
    await run("systemctl reload fieldpost");
  });

  test("before it is up, it comes up all the same", async () => {
    await run("systemctl restart fieldpost && systemctl reload fieldpost");
    await status(() => true, "it answers");
  });
});

describe("killed", () => {
  test("while the broker is away, it is started again and no reading is missing", async () => {
    const restarts = Number(await property("NRestarts"));
    await run("systemctl stop mosquitto && sleep 5");
    const { counters: atTheKill } = await status(({ counters }) => counters.pending > 2, "readings wait");
    await run("kill -9 $(systemctl show -P MainPID fieldpost)");
    await eventually(
      async () => (Number(await property("NRestarts")) > restarts ? true : undefined),
      SOON_MS,
      "systemd starts it again",
    );
    await status(({ counters }) => counters.pending > atTheKill.pending, "it answers, with what waited and more");
    await run("systemctl start mosquitto");
    await status(({ counters }) => counters.pending <= 2, "everything is delivered");
    const readings = await collected();
    expect(missing(readings)).toEqual([]);
    expect(distinct(readings)).toBeGreaterThanOrEqual(atTheKill.sampled);
    expect(readings.some(({ replay }) => replay)).toBe(true);
  });

  test("by a power cut, it has lost at most the commit window", async () => {
    // Mosquitto's own session must survive too; what the gateway takes after this is not synced by anybody but itself.
    await run("systemctl stop mosquitto && sync && sleep 15");
    const { counters: atTheCut } = await status(() => true, "it answers");
    await powerCycle();
    await wire({ "76": bosch280("60", mild) });
    await run("systemctl start mosquitto");
    await status(({ counters }) => counters.sampled > 0 && counters.pending <= 2, "everything is delivered");
    const readings = await collected();
    expect(missing(readings)).toEqual([]);
    const epochs = readings.map(({ epoch }) => epoch);
    const old = readings.filter(({ epoch }) => epoch < Math.max(...epochs));
    const mayBeLost = Math.ceil((COMMIT_WINDOW_S + SYNC_S) * READINGS_PER_S);
    expect(distinct(old)).toBeGreaterThanOrEqual(atTheCut.sampled - mayBeLost);
  });
});

describe("stopped", () => {
  test("it leaves `offline`, and goes on without a gap when it is started", async () => {
    await run("systemctl stop fieldpost");
    expect((await retained(MOSQUITTO_PORT, topic("status"))).get(topic("status"))).toBe("offline");
    expect(await property("Result")).toBe("success");
    await run("systemctl start fieldpost");
    await subscribing((subscriber) => subscriber.message(topic("status"), (payload) => payload === "online", SOON_MS));
    expect(missing(await collected())).toEqual([]);
  });
});

describe("uninstalled", () => {
  test("it refuses while readings are not delivered", async () => {
    await run("systemctl stop mosquitto");
    await status(({ counters }) => counters.pending > 0, "something waits");
    const { code, stderr } = await attempt("/opt/fieldpost/scripts/uninstall");
    expect(code).toBe(1);
    expect(stderr).toMatch(/\d+ readings are not delivered yet/);
    expect(await property("ActiveState")).toBe("active");
  });

  test("it leaves nothing but the configuration, and `offline`", async () => {
    // On a machine as slow as this, readings each second leave no moment at which none is on its way.
    await configure(devices.map((device) => ({ ...device, interval: "5m" })));
    await run("systemctl reload fieldpost && systemctl start mosquitto");
    await status(({ counters }) => counters.pending === 0, "everything is delivered");
    const { code, stderr } = await attempt("/opt/fieldpost/scripts/uninstall");
    expect(code, stderr).toBe(0);
    expect(stderr).toContain("/etc/fieldpost");
    const left = [...(await inventory())].filter((path) => !before.has(path));
    expect(left.sort()).toEqual(["/etc/fieldpost", CONFIG]);
    expect(await run("stat -c '%a %U:%G' /sys/class/leds/ACT/trigger")).toBe("644 root:root");
    expect((await retained(MOSQUITTO_PORT, topic("status"))).get(topic("status"))).toBe("offline");
  });
});

describe("installed on a machine that never had it", () => {
  test("the configuration that comes with it runs, on the bundled broker", async () => {
    await run("rm -rf /etc/fieldpost; systemctl stop mosquitto");
    const { code, stdout, stderr } = await install();
    expect(code, stderr).toBe(0);
    expect(stdout).toContain("broker mqtt://127.0.0.1:1883");
    expect(stdout).toContain("The bundled broker listens on 127.0.0.1 only");
    expect(await run(`stat -c '%a %U:%G' ${CONFIG}`)).toBe("640 root:fieldpost");
    expect([...(await retained(1883, "fieldpost/+/status")).values()]).toEqual(["online"]);
  });
});
