import { describe, expect, test } from "vitest";
import { topicsOf } from "../../src/core/topics.ts";
import { type AuditFacts, audit, leftBy } from "../../src/lifecycle/audit.ts";

const DAY_MS = 86_400_000;
const NOW_MS = Date.parse("2026-11-27T12:00:00Z");
const topics = topicsOf("fieldpost", "gw");
const facts: AuditFacts = {
  gatewayId: "gw",
  baseTopic: "fieldpost",
  prefix: "homeassistant",
  topics,
  current: new Set(["fieldpost/gw/status", "fieldpost/gw/room/state", "homeassistant/device/gw/room/config"]),
  ledger: new Map([
    ["fieldpost/gw/status", undefined],
    ["fieldpost/gw/old/state", "old"],
    ["farm/gw/status", undefined],
  ]),
  nowMs: NOW_MS,
  olderMs: 30 * DAY_MS,
};

function found(seen: Record<string, unknown>) {
  const messages = Object.entries(seen).map(([topic, payload]) => [topic, text(payload)] as const);
  return audit(new Map(messages), facts).map(({ kind, topic, clearable }) => [kind, topic, clearable]);
}

const text = (payload: unknown) => (typeof payload === "string" ? payload : JSON.stringify(payload));
const ago = (days: number) => ({ time: new Date(NOW_MS - days * DAY_MS).toISOString() });

describe("the audit of retained topics", () => {
  test("finds nothing wrong with what is configured and fed", () => {
    expect(found({ "fieldpost/gw/status": "online", "fieldpost/gw/room/state": ago(1) })).toEqual([]);
  });

  test("finds ours and gone, ours and stale, and what is under our id without being ours", () => {
    expect(
      found({
        "fieldpost/gw/old/state": ago(1),
        "fieldpost/gw/room/state": ago(31),
        "fieldpost/gw/pump/set": "ON",
        "homeassistant/device/gw/former/config": {},
      }),
    ).toEqual([
      ["gone", "fieldpost/gw/old/state", true],
      ["stale", "fieldpost/gw/room/state", true],
      ["nobody", "fieldpost/gw/pump/set", true],
      ["nobody", "homeassistant/device/gw/former/config", true],
    ]);
  });

  test("leaves other gateways alone, and names those that are gone without touching them", () => {
    expect(
      found({
        "fieldpost/alive/status": "online",
        "fieldpost/alive/health": ago(100),
        "fieldpost/dead/status": "offline",
        "fieldpost/dead/health": ago(100),
        "fieldpost/typo/room/state": ago(0),
      }),
    ).toEqual([
      ["stale", "fieldpost/dead/status", false],
      ["stale", "fieldpost/dead/health", false],
      ["nobody", "fieldpost/typo/room/state", false],
    ]);
  });

  test("finds discovery messages for topics of ours that nobody feeds, short or long, and leaves those of others alone", () => {
    expect(
      found({
        "fieldpost/gw/status": "online",
        "homeassistant/sensor/x/config": { stat_t: "fieldpost/lost/x/state" },
        "homeassistant/device/lost/config": { cmps: { a: { p: "sensor", state_topic: "fieldpost/lost/y/state" } } },
        "homeassistant/sensor/z/config": { state_topic: "zigbee2mqtt/lamp" },
        "homeassistant/sensor/broken/config": "{",
        "homeassistant/status": "online",
      }),
    ).toEqual([
      ["unfed", "homeassistant/sensor/x/config", false],
      ["unfed", "homeassistant/device/lost/config", false],
    ]);
  });
});

test("what a dead gateway left is told by its info where the broker answers no wildcard", () => {
  const info = JSON.stringify({ devices: [{ id: "room" }] });
  expect(leftBy("pi", "fieldpost", "homeassistant", info)).toEqual(
    expect.arrayContaining([
      "fieldpost/pi/status",
      "fieldpost/pi/room/state",
      "homeassistant/device/pi/gateway/config",
      "homeassistant/device/pi/room/config",
    ]),
  );
  expect(leftBy("pi", "fieldpost", "homeassistant", "{")).toContain("fieldpost/pi/health");
});

test("what an `info` that somebody else wrote names is no filter, and nobody else's topic", () => {
  const devices = [{ id: "#" }, { id: "+" }, { id: "a/b" }, { id: "" }, { id: 7 }, null, { id: "x".repeat(70_000) }];
  const honest = leftBy("pi", "fieldpost", "homeassistant", undefined);
  expect(leftBy("pi", "fieldpost", "homeassistant", JSON.stringify({ devices }))).toEqual(honest);
});
