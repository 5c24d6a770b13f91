import { expect, test } from "vitest";
import type { DeviceNow } from "../../src/core/board.ts";
import { rounded } from "../../src/core/rounding.ts";
import { configPayload, deviceFaults, readingPayload, statePayload, timeText } from "../../src/uplink/live/payloads.ts";
import { device, healthy } from "./bench.ts";

const at = { boot: "b", monoMs: 5000 };
const info = device("d1");

test("numbers are rounded to the channel's decimals, and zero has no sign", () => {
  const [channel] = info.channels;
  expect([21.2499, 21.25, -0.04, 1e21].map((value) => rounded(value, channel))).toEqual([21.2, 21.3, 0, 1e21]);
  expect([rounded(true, channel), rounded("on", channel), rounded(1.23456, undefined)]).toEqual([true, "on", 1.23456]);
});

test("a reading is sent with its identity, its true time, and whether it is history", () => {
  const record = { kind: "reading", device: "d1", at, values: { temperature: 21.26, humidity: 40.4 } } as const;
  const stored = { position: 9, epoch: 2, seq: 7, record: { ...record, quality: { humidity: "warming" } } as const };
  const payload = readingPayload(stored, { info, time: { wallMs: 1_767_225_600_123, clock: "synced" }, replay: true });
  expect(JSON.parse(payload)).toEqual({
    epoch: 2,
    seq: 7,
    time: "2026-01-01T00:00:00.123Z",
    clock: "synced",
    values: { temperature: 21.3, humidity: 40 },
    quality: { humidity: "warming" },
    replay: true,
  });
});

test("the state has each channel's newest value and the newest time, and none of a channel that is gone", () => {
  const newest = new Map([
    ["temperature", { value: 21.26, at: { boot: "b", monoMs: 1000 } }],
    ["humidity", { value: 40, at: { boot: "b", monoMs: 2000 } }],
    ["gone", { value: 1, at: { boot: "b", monoMs: 3000 } }],
  ]);
  const now: DeviceNow = { info, health: healthy, newest };
  const payload = statePayload(now, ({ monoMs }) => ({ wallMs: monoMs, clock: "estimated" }));
  expect(JSON.parse(payload ?? "")).toEqual({ temperature: 21.3, humidity: 40, time: "1970-01-01T00:00:02.000Z" });
  expect(statePayload({ ...now, newest: new Map() }, () => ({ wallMs: 0, clock: "synced" }))).toBeUndefined();
});

test("a device's config says what it is", () => {
  expect(JSON.parse(configPayload(info))).toMatchObject({
    id: "d1",
    driver: "sht4x",
    interval_s: 1,
    channels: info.channels,
  });
});

test("every key of a device's config is in snake case", () => {
  const channels = info.channels.map((channel) => ({ ...channel, deviceClass: "door", diagnostic: true as const }));
  const keys = [...configPayload({ ...info, channels }).matchAll(/"(\w+)":/g)].map(([, key]) => key);
  expect(keys).toContain("device_class");
  expect(keys.filter((key) => key !== key?.toLowerCase())).toEqual([]);
});

test("a clock gone mad does not stop a reading", () => {
  expect(timeText(9e15)).toBe("1970-01-01T00:00:00.000Z");
});

test("the faults of devices name what is wrong as a whole, and the channel where it is one", () => {
  const stuck = { code: "STUCK", channel: "pressure", message: "pressure has been 1013 to the last digit" };
  const now = (health: Partial<DeviceNow["health"]>): DeviceNow => ({
    info,
    health: { ...healthy, ...health },
    newest: new Map(),
  });

  expect(deviceFaults([now({})])).toEqual([]);
  expect(deviceFaults([now({ faults: [stuck] })])).toEqual([{ ...stuck, device: "d1" }]);
  expect(deviceFaults([now({ state: "failing", code: "BUS_NACK", reason: "no answer", faults: [stuck] })])).toEqual([
    { code: "BUS_NACK", message: "no answer", device: "d1" },
    { ...stuck, device: "d1" },
  ]);
});
