import { describe, expect, onTestFinished, test } from "vitest";
import { Board } from "../../src/core/board.ts";
import { openApi } from "../../src/history/api-socket.ts";
import { HISTORY_READER, History } from "../../src/history/history.ts";
import { FakeClock } from "../fakes/clock.ts";
import { MemoryStore } from "../fakes/store.ts";
import { FakeHomeAssistant, TOKEN } from "../support/fake-home-assistant.ts";
import { waitFor } from "../support/mosquitto.ts";
import { device, healthy, recordingLog } from "../uplink/bench.ts";

const MINUTE_MS = 60_000;

/** A gateway with a reading a minute, whose broker comes and goes. */
class Scene {
  readonly clock = new FakeClock({ wallMs: Date.parse("2026-05-01T10:20:00Z") });
  readonly store = Object.assign(new MemoryStore(), {
    getMeta: (key: string) => this.#meta.get(key),
    setMeta: (key: string, value: string) => void this.#meta.set(key, value),
  });
  readonly board = new Board();
  readonly log = recordingLog();
  url: string;
  readonly #meta = new Map<string, string>();
  #end = new AbortController();

  constructor(url: string) {
    this.url = url;
    this.store.anchor(this.clock);
    this.board.add(device("room"), healthy);
    this.store.outbox.setConsumers([HISTORY_READER]);
    this.start();
    onTestFinished(() => this.#end.abort());
  }

  /** Again, as after a restart. */
  start(): void {
    this.#end.abort();
    this.#end = new AbortController();
    const { board, clock, log, store } = this;
    const open = () => openApi({ url: this.url, token: TOKEN });
    new History({ board, clock, log, open, store, uniqueIdOf: (device, channel) => `gw_${device}_${channel}` })
      .run(this.#end.signal)
      .catch(() => {});
  }

  async minutes(count: number, temperature: number, isOnline: boolean): Promise<void> {
    for (let n = 0; n < count; n++) {
      const at = { boot: this.clock.bootId(), monoMs: this.clock.monoMs() };
      this.store.accept({ kind: "reading", device: "room", at, values: { temperature } });
      if (isOnline) this.deliver();
      await this.pass(MINUTE_MS);
    }
  }

  /** The broker has everything. */
  deliver(): void {
    this.store.outbox.acknowledge("mqtt", this.store.outbox.head);
  }

  async pass(ms: number): Promise<void> {
    await this.clock.advance(ms);
    await new Promise(setImmediate);
  }

  /** Steps until it is so; Home Assistant's answers come by a real socket. */
  until(predicate: () => boolean, what: string): Promise<void> {
    return waitFor(async () => {
      await this.pass(1000);
      return predicate();
    }, what);
  }

  get held(): number {
    return this.store.outbox.head - this.store.outbox.cursor(HISTORY_READER);
  }
}

describe("after an outage", () => {
  test("its whole hours are in Home Assistant's statistics, and nothing is held any more", async () => {
    await using home = await FakeHomeAssistant.start();
    const rows = home.keep("gw_room_temperature", "sensor.room");
    const scene = new Scene(home.url);
    await scene.minutes(20, 18, true);
    expect(scene.held).toBeLessThan(2);
    await scene.minutes(20, 19, false);
    await scene.minutes(60, 20, false);
    await scene.minutes(60, 22, false);
    await scene.minutes(15, 23, false);
    scene.deliver();
    await scene.minutes(2, 24, true);
    await scene.until(() => rows.size > 0 && scene.held < 2, "the hours");
    expect([...rows]).toEqual([
      ["2026-05-01T11:00:00.000Z", { mean: 20, min: 20, max: 20 }],
      ["2026-05-01T12:00:00.000Z", { mean: 22, min: 22, max: 22 }],
    ]);
    await scene.minutes(5, 24, true);
    expect(home.heard.filter((type) => type === "auth")).toHaveLength(1);
  });

  test("a restart in the middle of catching up forgets nothing", async () => {
    await using home = await FakeHomeAssistant.start();
    const rows = home.keep("gw_room_temperature", "sensor.room");
    const scene = new Scene(home.url);
    await scene.minutes(45, 19, false);
    await scene.minutes(120, 20, false);
    scene.store.outbox.acknowledge("mqtt", 90);
    await scene.pass(3000);
    expect(scene.held).toBeGreaterThan(150);
    scene.start();
    await scene.minutes(20, 21, false);
    scene.deliver();
    await scene.minutes(1, 21, true);
    await scene.until(() => rows.size > 0, "the hours");
    expect([...rows.keys()]).toEqual(["2026-05-01T11:00:00.000Z", "2026-05-01T12:00:00.000Z"]);
    expect(rows.get("2026-05-01T11:00:00.000Z")).toMatchObject({ min: 19, max: 20 });
  });

  test("they wait for a Home Assistant that is away, over a restart, without holding readings", async () => {
    const home = await FakeHomeAssistant.start();
    const { url } = home;
    await home[Symbol.asyncDispose]();
    const scene = new Scene(url);
    await scene.minutes(120, 20, false);
    scene.deliver();
    await scene.minutes(1, 20, true);
    await scene.until(
      () => scene.log.lines.some(({ message }) => message.includes("wait for Home Assistant")),
      "the try",
    );
    expect(scene.held).toBeLessThan(2);
    scene.start();
    await using back = await FakeHomeAssistant.start(Number(new URL(url).port));
    const rows = back.keep("gw_room_temperature", "sensor.room");
    await scene.until(() => rows.size > 0, "the hours");
    expect([...rows.keys()]).toEqual(["2026-05-01T11:00:00.000Z"]);
  });

  test("short ones and readings of an unknown time ask nothing of Home Assistant", async () => {
    await using home = await FakeHomeAssistant.start();
    const scene = new Scene(home.url);
    await scene.minutes(30, 20, false);
    scene.deliver();
    await scene.minutes(2, 20, true);
    scene.store.anchors = [];
    await scene.minutes(200, 20, false);
    scene.deliver();
    await scene.minutes(2, 20, true);
    await scene.until(() => scene.held === 0, "everything read");
    expect(home.heard).toEqual([]);
  });
});
