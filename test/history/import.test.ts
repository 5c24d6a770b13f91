import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import { WebSocketServer } from "ws";
import { openApi } from "../../src/history/api-socket.ts";
import type { Series } from "../../src/history/hours.ts";
import { importHours } from "../../src/history/import.ts";
import { FakeHomeAssistant, TOKEN } from "../support/fake-home-assistant.ts";

const at = (time: string) => Date.parse(`2026-05-01T${time}:00Z`);
const hour = (time: string, mean: number, grown = 0) => ({
  startMs: at(time),
  mean,
  min: mean - 1,
  max: mean + 1,
  state: mean,
  grown,
});
const room: Series = {
  device: "room",
  channel: "temperature",
  kind: "measurement",
  unit: "°C",
  first: 20,
  hours: [hour("11:00", 20), hour("12:00", 21)],
};
const meter: Series = {
  device: "meter",
  channel: "energy",
  kind: "total_increasing",
  unit: "kWh",
  first: 107,
  hours: [hour("11:00", 108, 1), hour("12:00", 110, 3)],
};

async function imported(home: FakeHomeAssistant, series: readonly Series[], now = "18:00") {
  using api = await openApi({ url: home.url, token: TOKEN });
  const outcomes = await importHours(api, (device, channel) => `gw_${device}_${channel}`, series, at(now));
  return outcomes.map(({ hours, skipped }) => skipped ?? hours);
}

describe("Home Assistant's statistics", () => {
  test("get the hours of a measurement, and the same again changes nothing", async () => {
    await using home = await FakeHomeAssistant.start();
    const rows = home.keep("gw_room_temperature", "sensor.renamed_by_the_user");
    rows.set("2026-05-01T10:00:00.000Z", { mean: 19, min: 19, max: 19 });
    for (let n = 0; n < 2; n++) expect(await imported(home, [room])).toEqual([2]);
    expect([...rows]).toEqual([
      ["2026-05-01T10:00:00.000Z", { mean: 19, min: 19, max: 19 }],
      ["2026-05-01T11:00:00.000Z", { mean: 20, min: 19, max: 21 }],
      ["2026-05-01T12:00:00.000Z", { mean: 21, min: 20, max: 22 }],
    ]);
  });

  test("go on from the last sum of a total", async () => {
    await using home = await FakeHomeAssistant.start();
    const rows = home.keep("gw_meter_energy", "sensor.meter", { unit: "kWh", has_sum: true, unit_class: "energy" });
    rows.set("2026-05-01T09:00:00.000Z", { state: 100, sum: 1000 });
    rows.set("2026-05-01T10:00:00.000Z", { state: 105, sum: 1005 });
    expect(await imported(home, [meter])).toEqual([2]);
    expect([...rows.values()].slice(2)).toEqual([
      { state: 108, sum: 1005 + 2 + 1 },
      { state: 110, sum: 1005 + 2 + 3 },
    ]);
    expect(await imported(home, [meter])).toEqual([2]); // its own rows are no base for it
    expect(rows.get("2026-05-01T12:00:00.000Z")).toEqual({ state: 110, sum: 1010 });
  });

  test("go on after a meter that began anew during the outage's first minutes", async () => {
    await using home = await FakeHomeAssistant.start();
    const rows = home.keep("gw_meter_energy", "sensor.meter", { unit: "kWh", has_sum: true });
    rows.set("2026-05-01T10:00:00.000Z", { state: 500, sum: 50 });
    await imported(home, [meter]);
    expect(rows.get("2026-05-01T11:00:00.000Z")).toEqual({ state: 108, sum: 50 + 107 + 1 });
  });

  test("get no hour that is not over, no other unit, nothing of another kind, and nothing that is unknown there", async () => {
    await using home = await FakeHomeAssistant.start();
    const rows = home.keep("gw_room_temperature", "sensor.room");
    expect(await imported(home, [room], "12:30")).toEqual([1]);
    expect([...rows.keys()]).toEqual(["2026-05-01T11:00:00.000Z"]);
    home.keep("gw_cellar_temperature", "sensor.cellar", { unit: "°F" });
    home.keep("gw_meter_energy", "sensor.meter", { unit: "kWh" });
    home.entities.set("gw_new_temperature", "sensor.new");
    const others = ["cellar", "new", "gone"].map((device) => ({ ...room, device }));
    expect(await imported(home, [...others, meter])).toEqual([
      "Home Assistant keeps it in °F, not in °C",
      "Home Assistant keeps no statistics of it yet",
      "Home Assistant has no entity of it",
      "Home Assistant keeps it as another kind of value",
    ]);
    expect(home.heard.filter((type) => type === "recorder/import_statistics")).toHaveLength(1);
  });

  test("that Home Assistant refuses of one entity hold up none of the others", async () => {
    await using home = await FakeHomeAssistant.start();
    home.keep("gw_room_temperature", "sensor.room");
    const rows = home.keep("gw_cellar_temperature", "sensor.cellar");
    const offHour = { ...room, hours: [{ ...hour("11:00", 20), startMs: at("11:30") }] };
    const [refused, taken] = await imported(home, [offHour, { ...room, device: "cellar" }]);
    expect(refused).toContain("Invalid timestamp");
    expect([taken, rows.size]).toEqual([2, 2]);
  });

  test("do not hold up the end of the gateway where Home Assistant does not answer", async () => {
    const silent = new WebSocketServer({ port: 0, host: "127.0.0.1" });
    onTestFinished(() => void silent.close());
    await once(silent, "listening");
    const end = new AbortController();
    const url = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;
    const opening = openApi({ url, token: TOKEN }, end.signal);
    silent.once("connection", () => end.abort());
    await expect(opening).rejects.toMatchObject({ code: "HOME_ASSISTANT_UNREACHABLE" });
    await expect(openApi({ url, token: TOKEN }, end.signal)).rejects.toMatchObject({
      code: "HOME_ASSISTANT_UNREACHABLE",
    });
  });

  test("are out of reach with a wrong token, a wrong address, or where another program answers", async () => {
    await using home = await FakeHomeAssistant.start();
    await expect(openApi({ url: home.url, token: "wrong" })).rejects.toMatchObject({ code: "HOME_ASSISTANT_REFUSED" });
    const { url } = home;
    using api = await openApi({ url, token: TOKEN });
    await expect(api.call({ type: "no/such" })).rejects.toMatchObject({ code: "HOME_ASSISTANT_REFUSED" });
    await home[Symbol.asyncDispose]();
    await expect(openApi({ url, token: TOKEN })).rejects.toMatchObject({ code: "HOME_ASSISTANT_UNREACHABLE" });
    await expect(api.call({ type: "config/entity_registry/list" })).rejects.toMatchObject({
      code: "HOME_ASSISTANT_UNREACHABLE",
    });
  });
});
