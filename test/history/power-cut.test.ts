import { expect, test } from "vitest";
import { Board } from "../../src/core/board.ts";
import { openApi } from "../../src/history/api-socket.ts";
import { HISTORY_READER, History } from "../../src/history/history.ts";
import type { Store } from "../../src/store/store.ts";
import { Machine, quiet } from "../store/fixture.ts";
import { FakeHomeAssistant, TOKEN } from "../support/fake-home-assistant.ts";
import { device, healthy } from "../uplink/bench.ts";

const MINUTE_MS = 60_000;
const MISSED = ["2026-05-01T11:00:00.000Z", "2026-05-01T12:00:00.000Z"];

/** The part that fills gaps on a real store, until it is told to stop. */
function start(machine: Machine, store: Store, url: string): AsyncDisposable {
  const { clock } = machine;
  const stopper = new AbortController();
  const board = new Board();
  board.add(device("room"), healthy);
  store.outbox.setConsumers([HISTORY_READER]);
  const monoMs = clock.monoMs();
  store.saveBoot({ boot: clock.bootId(), anchors: [{ monoMs, offsetMs: clock.wallMs() - monoMs }] });
  const open = () => openApi({ url, token: TOKEN });
  const uniqueIdOf = (of: string, channel: string) => `gw_${of}_${channel}`;
  const running = new History({ board, clock, uniqueIdOf, log: quiet, open, store }).run(stopper.signal);
  return {
    async [Symbol.asyncDispose]() {
      stopper.abort();
      await running.catch(() => undefined);
    },
  };
}

async function outage(machine: Machine, store: Store): Promise<void> {
  for (let minute = 0; minute < 170; minute++) {
    const at = { boot: machine.clock.bootId(), monoMs: machine.clock.monoMs() };
    store.accept({ kind: "reading", device: "room", at, values: { temperature: 20 } });
    await machine.clock.advance(MINUTE_MS);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  // Simulated time ran ahead of the disk.
  await store.flush();
}

const deliver = (store: Store) => store.outbox.acknowledge("mqtt", store.outbox.head);

/** Cuts the power so long after the outage's end. What the disk had then: the hours, or the readings that tell them. */
async function cutAfter(seconds: number): Promise<"hours" | "readings"> {
  using machine = new Machine();
  machine.clock.setWallMs(Date.parse("2026-05-01T10:20:00Z"));
  const running = await machine.open();
  const before = start(machine, running, "http://127.0.0.1:1");
  await outage(machine, running);
  deliver(running);
  for (let second = 0; second < seconds; second++) {
    await machine.clock.advance(1000);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  await machine.powerCut(running);
  await before[Symbol.asyncDispose]();

  await using store = await machine.open();
  const had = (store.getMeta("history/waiting") ?? "[]") === "[]" ? "readings" : "hours";
  await using home = await FakeHomeAssistant.start();
  const rows = home.keep("gw_room_temperature", "sensor.room");
  await using _after = start(machine, store, home.url);
  // What the disk does not know to be delivered is delivered once more.
  deliver(store);
  await machine.passUntil(() => rows.size > 0);
  expect([...rows.keys()]).toEqual(MISSED);
  await machine.passUntil(() => store.outbox.cursor(HISTORY_READER) === store.outbox.head);
  return had;
}

// The hours are saved and the readings let go in one transaction: whenever it is, the disk has one or the other.
test("whenever the power is cut after an outage's end, none of its hours is lost", async () => {
  const had = new Set<string>();
  for (const seconds of [0, 1, 2, 4, 5, 6, 8, 12]) had.add(await cutAfter(seconds));
  expect(had).toEqual(new Set(["readings", "hours"]));
});
