import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { configuration, MOSQUITTO_PORT, throughMosquitto, topic } from "./bench.ts";
import { TREE } from "./boot.ts";
import { attempt, drive, eventually, run, wire, writeJson } from "./guest.ts";
import { subscribe } from "./subscriber.ts";

const SOON_MS = 500_000;
const CONFIG = "/etc/fieldpost/fieldpost.yaml";
const NO_RESTART = "/run/systemd/system/fieldpost.service.d/no-restart.conf";

/** BCM numbers of what is driven, and of what is driven from outside. */
const PIN = { pump: 22, lamp: 23, fan: 24, alarm: 26, bell: 16, water: 25 } as const;

const outputs = [
  { id: "pump", driver: "digital-output", pin: PIN.pump },
  { id: "lamp", driver: "digital-output", pin: PIN.lamp, at_start: "restore", at_stop: "hold" },
  { id: "fan", driver: "digital-output", pin: PIN.fan, failsafe_after: "15s" },
  { id: "alarm", driver: "digital-output", pin: PIN.alarm, safe_state: "on" },
];
const inputs = [
  { id: "bell", driver: "button", pin: PIN.bell, double_press: "0s", long_press: "1m" },
  { id: "water", driver: "pulse-counter", pin: PIN.water, per_pulse: 0.5, unit: "L" },
];
const expanderPins = [
  // The emulated bus is a program too: looked at fifty times a second, it would have the CPU.
  { id: "io", driver: "mcp23017", bus: "i2c-1", address: 0x20, poll: "1s" },
  { id: "gate", driver: "digital-input", pin: { expander: "io", pin: 3 } },
];

/** An MCP23017 as it is after power-on, with these levels at its pins. Wiring it anew is a brown-out, too. */
const expander = (levels: string) => ({
  "20": { regs: { "00": "ffff", "02": "0000000000000000", "12": `${levels}0000` } },
});

const command = (device: string, payload: string) =>
  run(`mosquitto_pub -p ${MOSQUITTO_PORT} -q 1 -t '${topic(`${device}/set`)}' -m '${payload}'`);

/** The level of a line, as it is outside. */
const level = async (line: number) => Number(await run(`vpi gpio ${line}`));

const becomes = (line: number, wanted: 0 | 1) =>
  eventually(async () => ((await level(line)) === wanted ? wanted : undefined), SOON_MS, `line ${line} is ${wanted}`);

/** By a command; by another one where the device was late at that moment, and so not open. */
const switchTo = (device: string, payload: string, line: number, wanted: 0 | 1) =>
  eventually(
    async () => {
      await command(device, payload);
      await run(`timeout 10 sh -c '${untilLevel(line, wanted)}' || true`);
      return (await level(line)) === wanted ? wanted : undefined;
    },
    SOON_MS,
    `${device} is ${payload}`,
  );

/** Waits until the device's retained state, or the next, is as asked. */
async function state<T>(device: string, matches: (payload: T) => boolean): Promise<T> {
  await using subscriber = subscribe(MOSQUITTO_PORT, topic(`${device}/state`));
  return await subscriber.message<T>(topic(`${device}/state`), matches, SOON_MS);
}

/** Waits until these are read: by what comes now, not by what is retained. A C program, which does not slow what it waits for. */
const areRead = (...ids: string[]) =>
  Promise.all(
    ids.map((id) =>
      run(`mosquitto_sub -p ${MOSQUITTO_PORT} -R -C 1 -W ${SOON_MS / 1000} -t '${topic(`${id}/state`)}' > /dev/null`),
    ),
  );

/** Ends in the guest as soon as the line is there, and says after how many milliseconds: asking from outside takes longer. */
const untilLevel = (line: number, wanted: 0 | 1) =>
  `began=$(date +%s%3N); until [ "$(vpi gpio ${line})" = ${wanted} ]; do sleep 0.01; done; echo $(($(date +%s%3N) - began))`;

/** Few devices at a time, and seldom read: the emulator has little CPU, and a device that is late is a fault. */
const configure = (devices: readonly { readonly id: string }[]) =>
  writeJson(
    CONFIG,
    configuration(
      "/var/lib/fieldpost",
      throughMosquitto,
      devices.map((device) => ({ ...device, interval: "10s" })),
    ),
  );

async function serve(devices: readonly { readonly id: string }[]): Promise<void> {
  await configure(devices);
  await run("systemctl restart fieldpost");
  await areRead(...devices.map(({ id }) => id));
}

beforeAll(async () => {
  // As systemd-timesyncd leaves it: nobody else need be asked, by programs that take long to start.
  await run("systemctl start mosquitto; mkdir -p /run/systemd/timesync && touch /run/systemd/timesync/synchronized");
  await wire(expander("0000"));
  await drive(PIN.bell, 0);
  await drive(PIN.water, 0);
  await configure(outputs);
  // On an emulator that shares its cores it may give up waiting, while the service still loads.
  const { stderr } = await attempt(`cd ${TREE} && scripts/install --prebuilt`);
  await areRead("pump", "lamp", "fan", "alarm").catch((error) => Promise.reject(new Error(stderr, { cause: error })));
});

afterAll(async () => {
  await attempt(`rm -f ${NO_RESTART}; /opt/fieldpost/scripts/uninstall --force --purge`);
  await run("systemctl stop mosquitto; rm -rf /run/vi2c.json /run/systemd/timesync");
});

describe("an output of the service", () => {
  test("is in its safe state at the start", async () => {
    expect([await level(PIN.pump), await level(PIN.alarm)]).toEqual([0, 1]);
  });

  test("is switched by a command, and tells what was read back", async () => {
    await switchTo("pump", "on", PIN.pump, 1);
    await state<{ state: boolean }>("pump", (now) => now.state === true);
    await switchTo("lamp", "on", PIN.lamp, 1);
  });

  test("is safe after `failsafe_after` without a controller", async () => {
    await switchTo("fan", "on", PIN.fan, 1);
    await becomes(PIN.fan, 0);
    await state<{ state: boolean }>("fan", (now) => now.state === false);
    expect(await level(PIN.pump)).toBe(1);
  });

  test("is driven safe by the unit after `kill -9`, unless it is to be held", async () => {
    await run(
      `mkdir -p $(dirname ${NO_RESTART}) && printf '[Service]\\nRestart=no\\n' > ${NO_RESTART} && systemctl daemon-reload`,
    );
    await switchTo("alarm", "off", PIN.alarm, 0);
    const safeAfterMs = await run(`kill -9 $(systemctl show -P MainPID fieldpost); ${untilLevel(PIN.pump, 0)}`);
    process.stderr.write(`figures: outputs after kill -9: safe after ${safeAfterMs} ms\n`);
    await becomes(PIN.alarm, 1);
    expect(await level(PIN.lamp)).toBe(1);
    await eventually(
      async () => ((await run("systemctl show -P ActiveState fieldpost")) === "failed" ? true : undefined),
      SOON_MS,
      "the unit has ended",
    );
  });

  test("is as it was commanded last where it is to be restored, and safe again at a stop", async () => {
    await run(
      `rm ${NO_RESTART} && systemctl daemon-reload && systemctl reset-failed fieldpost && systemctl start fieldpost`,
    );
    await areRead("pump", "lamp", "alarm");
    expect([await level(PIN.pump), await level(PIN.lamp), await level(PIN.alarm)]).toEqual([0, 1, 1]);
    await switchTo("pump", "on", PIN.pump, 1);
    await run("systemctl stop fieldpost");
    expect([await level(PIN.pump), await level(PIN.lamp), await level(PIN.alarm)]).toEqual([0, 1, 1]);
  });
});

describe("an input of the service", () => {
  beforeAll(() => serve(inputs));

  test("is heard through a program that runs in the unit: a button's press is an event", async () => {
    const event = topic("bell/press/event");
    await using subscriber = subscribe(MOSQUITTO_PORT, event, topic("status"));
    await subscriber.message(topic("status"), (payload) => payload === "online", SOON_MS);
    await run(`vpi gpio ${PIN.bell} 1 && sleep 0.2 && vpi gpio ${PIN.bell} 0`);
    await subscriber.message<{ event_type: string }>(event, (payload) => payload.event_type === "single", SOON_MS);
  });

  test("that counts was set from the meter, and counts on from there, over `kill -9`", async () => {
    await command("water/total", "1234.5");
    await state<{ total: number }>("water", ({ total }) => total === 1234.5);
    await run("kill -9 $(systemctl show -P MainPID fieldpost)");
    await areRead("water");
    await run(`vpi pulse ${PIN.water} 100 2`);
    await state<{ total: number }>("water", ({ total }) => total === 1235.5);
  });
});

describe("an expander of the service", () => {
  beforeAll(() => serve(expanderPins));

  test("is read by its pins, and set up again when it was reset", async () => {
    await state<{ state: boolean }>("gate", (now) => now.state === false);
    await wire(expander("0800"));
    await state<{ state: boolean }>("gate", (now) => now.state === true);
    await state<{ resets: number }>("io", ({ resets }) => resets > 0);
  });
});
