import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { configuration, MOSQUITTO_PORT, throughMosquitto, topic } from "./bench.ts";
import { type Gateway, startGateway } from "./gateway.ts";
import { drive, eventually, run, type Stream, stream, virtualPi } from "./guest.ts";
import { type Subscriber, subscribe } from "./subscriber.ts";

const SOON_MS = 120_000;
const HOUR_MS = 3_600_000;
const PULSES = Number(process.env.VPI_PULSES ?? 100_000);
const EDGES = Number(process.env.VPI_EDGES ?? 300);
const RATES_HZ = [50, 100, 200, 400, 800, 1600];
/** So many looks at one and the same total, a second apart: nothing is on its way, and the audit has had its silence. */
const QUIET_LOOKS = 12;

const PIN = { meter: 25, onoff: 5, gpiod: 6 } as const;
const devices = [
  { id: "meter", driver: "pulse-counter", pin: PIN.meter, debounce: "0", interval: "1s" },
  { id: "onoff", driver: "digital-input", pin: PIN.onoff, debounce: "0", interval: "1h" },
  // A pull resistor is what sysfs does not know.
  { id: "gpiod", driver: "digital-input", pin: PIN.gpiod, pull: "down", debounce: "0", interval: "1h" },
];

interface Meter {
  readonly total: number;
  readonly losses: number;
}

let gateway: Gateway;
let subscriber: Subscriber;
/**
 * One CPU, like a Pi Zero's: of two emulated ones the host may stop the one that hears while the other sends. The generator
 * gives way to what it measures, unless it is to overrun it.
 */
const oneCpu = (on: boolean) => run(`echo ${on ? 0 : 1} > /sys/devices/system/cpu/cpu1/online`);
const POLITELY = "nice -n 19";
const RUTHLESSLY = "chrt -f 10";

const figures = (text: string) => process.stderr.write(`figures: ${text}\n`);

/** Compiled here, for the guest has no compiler: the same CPU, and no library. */
async function installGenerator(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "fieldpost-pulses-"));
  const [source, program] = [join(import.meta.dirname, "guest/programs/pulses.c"), join(folder, "pulses")];
  await promisify(execFile)("gcc", ["-O2", "-static", "-o", program, source]);
  const { code, stderr } = await virtualPi(["push", program, "/usr/local/bin/pulses"]);
  expect(code, stderr).toBe(0);
  await run("chmod +x /usr/local/bin/pulses");
  await rm(folder, { recursive: true });
}

/** What the meter shows when nothing comes any more. */
async function settled(): Promise<Meter> {
  const from = subscriber.messages().length;
  return await eventually(
    async () => {
      const states = subscriber
        .messages()
        .slice(from)
        .filter((message) => message.topic === topic("meter/state"));
      const newest = states.slice(-QUIET_LOOKS).map(({ payload }) => payload as Meter);
      const [first] = newest;
      const isQuiet = newest.length === QUIET_LOOKS && newest.every(({ total }) => total === first?.total);
      return isQuiet ? newest.at(-1) : undefined;
    },
    SOON_MS,
    "the meter is at rest",
  );
}

/** Sends pulses to a meter that stands at 0 and is trusted; what it says then, and how fast they were. */
async function send(count: number, hz: number, how = POLITELY) {
  const before = await settled();
  await run(`mosquitto_pub -p ${MOSQUITTO_PORT} -q 1 -t '${topic("meter/total/set")}' -m 0`);
  const from = subscriber.messages().length;
  await subscriber.message<Meter>(topic("meter/state"), ({ total }) => total === 0, SOON_MS, from);
  const said = await run(`${how} pulses ${PIN.meter} ${count} ${hz}`);
  const seconds = Number(/in ([\d.]+) s/.exec(said)?.[1]);
  const after = await settled();
  const losses = after.losses - before.losses;
  figures(
    `pulses in the virtual Pi: sent ${count}, at ${Math.round(count / seconds)} Hz, counted ${after.total}, losses seen ${losses}`,
  );
  // Exact, or known not to be; never more than there were.
  expect(after.total).toBeLessThanOrEqual(count);
  if (losses === 0) expect(after.total).toBe(count);
  return { exact: after.total === count, losses, hz: count / seconds };
}

beforeAll(async () => {
  // As systemd-timesyncd leaves it: nobody else need be asked, by programs that take long to start.
  await run("systemctl start mosquitto; mkdir -p /run/systemd/timesync && touch /run/systemd/timesync/synchronized");
  await installGenerator();
  for (const pin of Object.values(PIN)) await drive(pin, 0);
  gateway = await startGateway(configuration("/home/pi/data-pulses", throughMosquitto, devices));
  await oneCpu(true);
  subscriber = subscribe(MOSQUITTO_PORT, topic("meter/state"), topic("health"));
  await subscriber.message<Meter>(topic("meter/state"), () => true, SOON_MS);
});

afterAll(async () => {
  await oneCpu(false);
  await subscriber?.[Symbol.asyncDispose]();
  await gateway?.[Symbol.asyncDispose]();
  await run("systemctl stop mosquitto; rm -rf /run/systemd/timesync");
});

describe("a pulse counter on the character device", () => {
  let sustainedHz = RATES_HZ[0] as number;

  test(
    "counts exactly up to some rate, and beyond it every loss is seen",
    async () => {
      for (const hz of RATES_HZ) {
        const { exact, losses } = await send(Math.max(200, 5 * hz), hz);
        if (!exact || losses > 0) break;
        sustainedHz = hz;
      }
      figures(`pulses in the virtual Pi: sustained ${sustainedHz} Hz`);
    },
    HOUR_MS,
  );

  test(
    `counts ${PULSES} pulses exactly`,
    async () => {
      // The CPU is shared: a rate that was sustained for seconds need not be for minutes.
      let result = await send(PULSES, sustainedHz);
      for (let hz = sustainedHz / 2; !result.exact && hz >= 10; hz /= 2) result = await send(PULSES, hz);
      expect(result).toMatchObject({ exact: true, losses: 0 });
    },
    3 * HOUR_MS,
  );

  test("tells on `health` that edges were lost, until the total is set from the meter", async () => {
    interface Health {
      readonly faults: readonly { readonly code: string; readonly device?: string }[];
    }
    const isDoubted = ({ faults }: Health) =>
      faults.some(({ code, device }) => code === "EDGES_LOST" && device === "meter");
    const from = subscriber.messages().length;
    const { losses } = await send(20_000, 0, RUTHLESSLY);
    expect(losses, "an emulated CPU that keeps up with that").toBeGreaterThan(0);
    await subscriber.message<Health>(topic("health"), isDoubted, SOON_MS, from);
    const set = subscriber.messages().length;
    await run(`mosquitto_pub -p ${MOSQUITTO_PORT} -q 1 -t '${topic("meter/total/set")}' -m 5`);
    await subscriber.message<Health>(topic("health"), (health) => !isDoubted(health), SOON_MS, set);
  });
});

/** When each edge was driven, and when its state came to Debian's mosquitto_sub; milliseconds between. */
async function delays(device: "onoff" | "gpiod"): Promise<number[]> {
  await using listening: Stream = stream(
    `exec timeout 900 mosquitto_sub -p ${MOSQUITTO_PORT} -R -t '${topic(`${device}/state`)}' -F '%U %p' -d`,
  );
  await listening.line((line) => line.includes("SUBACK"), SOON_MS);
  const driven = (await run(`${POLITELY} pulses -t ${PIN[device]} ${EDGES / 2} 2`)).split("\n").slice(0, EDGES);
  const heard = () =>
    listening.lines
      .flatMap((line) => {
        const [, time, state] = /^(\d+\.\d+) .*"state":(true|false)/.exec(line) ?? [];
        return time === undefined ? [] : [{ ms: Number(time) * 1000, level: state === "true" ? "1" : "0" }];
      })
      // The others are heartbeats.
      .filter(({ level }, index, all) => level !== (all[index - 1]?.level ?? "0"));
  await eventually(
    async () => (heard().length >= EDGES ? true : undefined),
    SOON_MS,
    `${EDGES} states, not ${heard().length}`,
  );
  return driven.map((line, index) => {
    const [level, us] = line.split(" ");
    const { ms = Number.NaN, level: told } = heard()[index] ?? {};
    expect(told).toBe(level);
    return ms - Number(us) / 1000;
  });
}

test.each(["onoff", "gpiod"] as const)("an edge is an MQTT message: how soon, through %s", async (backend) => {
  const took = (await delays(backend)).sort((a, b) => a - b);
  const at = (share: number) => (took[Math.floor(share * (took.length - 1))] as number).toFixed(1);
  figures(`edges to MQTT in the virtual Pi, ${backend}: edges ${took.length}, p50 ${at(0.5)} ms, p99 ${at(0.99)} ms`);
  expect(took[0]).toBeGreaterThan(0);
});
