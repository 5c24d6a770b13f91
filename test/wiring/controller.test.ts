import { expect, test } from "vitest";
import { Controller } from "../../src/wiring/controller.ts";
import { FakeClock } from "../fakes/clock.ts";

test("a controller is there from its `online` until its `offline` or the end of the connection", async () => {
  const clock = new FakeClock({ monoMs: 1000 });
  const controller = new Controller(clock);
  const seenAfter = async (ms: number) => {
    await clock.advance(ms);
    return controller.seenMs();
  };
  expect(await seenAfter(500)).toBe(0);
  controller.heard("online");
  expect(await seenAfter(500)).toBe(2000);
  await clock.advance(500);
  controller.connectionChanged();
  expect(await seenAfter(5000)).toBe(2500);
  controller.connectionChanged();
  expect(await seenAfter(500)).toBe(2500);
  controller.heard("online");
  await clock.advance(1000);
  controller.heard("offline");
  expect(await seenAfter(9000)).toBe(9000);
});
