import { expect, test } from "vitest";
import { renderStatus } from "../../src/cli/commands/status.ts";
import { Board } from "../../src/core/board.ts";
import type { GatewayInfo } from "../../src/core/gateway.ts";
import { channelsOf } from "../../src/drivers/driver.ts";
import { starting } from "../../src/sampling/health.ts";
import { type StatusParts, statusReport } from "../../src/service/status-report.ts";
import { FakeClock } from "../fakes/clock.ts";

const clock = new FakeClock({ monoMs: 100_000 });
const gateway: GatewayInfo = {
  id: "gw",
  name: "Gateway",
  instance: "i",
  version: "1.0.0",
  host: "pi",
  kernel: "6.12",
  broker: "bundled",
  epoch: 1,
};
const counters = { sampled: 5, delivered: 3, unheard: 0, pending: 2, dropped: {} };

function report(connected: boolean, more: Partial<StatusParts> = {}) {
  const board = new Board();
  const channels = channelsOf({ temperature: { quantity: "temperature" }, door: { quantity: "binary" } });
  board.add({ id: "probe", name: "Probe", driver: "sht4x", intervalMs: 1000, channels }, starting(0));
  board.setValues({
    kind: "reading",
    device: "probe",
    at: { boot: clock.bootId(), monoMs: 97_500 },
    values: { temperature: 21.5, door: true },
  });
  board.setHealth("probe", { ...starting(0), state: "failing", online: true, code: "CHECKSUM", reason: "damaged" });
  return statusReport({
    gateway,
    startedMonoMs: 40_000,
    broker: { kind: "bundled", address: "127.0.0.1:1883", connected },
    counters,
    consumers: {},
    ignoredReceipts: {},
    usage: { bytes: 4096, oldestPendingMs: 1234 },
    devices: board.all(),
    faults: [],
    clock,
    ...more,
  });
}

test("the status shows each device with its newest values, their unit and age", () => {
  expect(report(true).devices).toEqual([
    {
      id: "probe",
      name: "Probe",
      driver: "sht4x",
      state: "failing",
      online: true,
      reason: "damaged",
      reads: 0,
      errors: 0,
      age_s: 2.5,
      values: { temperature: { value: 21.5, unit: "°C" }, door: { value: true } },
    },
  ]);
});

test("everything that is not well is a fault with its part and code", () => {
  expect(report(true).faults).toEqual([{ part: "probe", code: "CHECKSUM", message: "damaged" }]);
  expect(report(false).faults.map(({ part, code }) => `${part} ${code}`)).toEqual([
    "uplink BROKER_UNREACHABLE",
    "probe CHECKSUM",
  ]);
});

test("consumers are shown with what each has confirmed, and receipts that were not believed", () => {
  const archive = { sampled: 9, delivered: 3, unheard: 0, pending: 4, dropped: { corrupt: 1, aged: 1 } };
  const shown = report(true, {
    broker: {
      kind: "external",
      address: "mqtt://b",
      connected: true,
      protocol: "5",
      connections: { connected: 2, wanted: 4 },
    },
    consumers: { archive },
    ignoredReceipts: { not_sent_yet: 2 },
  });
  expect(shown).toMatchObject({
    broker: { connections: { connected: 2, wanted: 4 } },
    consumers: { archive: { delivered: 3, pending: 4, dropped_total: 2 } },
    receipts_ignored: { not_sent_yet: 2 },
  });
  const text = renderStatus(shown);
  expect(text).toMatch(/2 of 4 connections/);
  expect(text).toMatch(/consumer archive +3 confirmed, 4 pending, 2 dropped/);
  expect(text).toMatch(/receipts ignored +2 not sent yet/);
  expect(report(true)).not.toHaveProperty("consumers");
});

test("the counters add up", () => {
  const { sampled, delivered, pending, dropped } = report(true).counters;
  expect(sampled).toBe(delivered + pending + Object.values(dropped).reduce((sum, count) => sum + count, 0));
});

test("a device that gives values though one of its channels is stuck is a fault all the same", () => {
  const board = new Board();
  const channels = channelsOf({ temperature: { quantity: "temperature" } });
  board.add({ id: "probe", name: "Probe", driver: "sht4x", intervalMs: 1000, channels }, starting(0));
  const fault = { code: "STUCK", message: "pressure has been 1013 to the last digit", channel: "pressure" };
  board.setHealth("probe", { ...starting(0), state: "ok", online: true, faults: [fault] });

  expect(report(true, { devices: board.all() }).faults).toEqual([
    { part: "probe", code: "STUCK", message: "pressure has been 1013 to the last digit" },
  ]);
});
