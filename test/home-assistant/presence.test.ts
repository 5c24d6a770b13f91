import { expect, test } from "vitest";
import { birthDelayMs, onBirth, onDeletion } from "../../src/home-assistant/presence.ts";
import { FakeClock } from "../fakes/clock.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

function birth() {
  const clock = new FakeClock();
  const stopper = new AbortController();
  const announced: number[] = [];
  const listener = onBirth({
    prefix: "homeassistant",
    clock,
    random: () => 0.5,
    announce: () => announced.push(clock.monoMs()),
    signal: stopper.signal,
  });
  const say = (payload: string, retained = false) =>
    listener.onMessage({ topic: "homeassistant/status", payload: bytes(payload), retained });
  return { clock, stopper, announced, listener, say };
}

test("the answer to a birth message comes one to five seconds later", () => {
  expect(birthDelayMs(() => 0)).toBe(1000);
  expect(birthDelayMs(() => 0.999999)).toBeLessThan(5000);
});

test("several birth messages in a row are answered once, and a later one again", async () => {
  const { clock, announced, say, listener } = birth();
  expect(listener.filter).toBe("homeassistant/status");
  for (const payload of ["offline", "online", "online"]) say(payload);
  await clock.advance(2999);
  expect(announced).toEqual([]);
  await clock.advance(10_000);
  expect(announced).toHaveLength(1);
  say("online");
  await clock.advance(10_000);
  expect(announced).toHaveLength(2);
});

test("a retained birth message is from before, and connecting announces anyway", async () => {
  const { clock, announced, say } = birth();
  say("online", true);
  await clock.advance(10_000);
  expect(announced).toEqual([]);
});

test("nothing is announced after the stop", async () => {
  const { clock, announced, say, stopper } = birth();
  say("online");
  stopper.abort();
  await clock.advance(10_000);
  expect(announced).toEqual([]);
});

test("an emptied discovery topic tells which device the user deleted", () => {
  const deleted: string[] = [];
  const { filter, onMessage } = onDeletion("homeassistant", "gw1", (device) => deleted.push(device));
  expect(filter).toBe("homeassistant/device/gw1/+/config");
  onMessage({ topic: "homeassistant/device/gw1/d1/config", payload: bytes("{}"), retained: true });
  onMessage({ topic: "homeassistant/device/gw1/d2/config", payload: bytes(""), retained: false });
  expect(deleted).toEqual(["d2"]);
});
