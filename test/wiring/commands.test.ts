import { expect, test } from "vitest";
import { commandHandler } from "../../src/wiring/commands.ts";
import { FakeClock } from "../fakes/clock.ts";

function handler(clock: FakeClock) {
  const carriedOut: unknown[] = [];
  const roster = { command: async (...command: unknown[]) => void carriedOut.push(command) };
  return { carriedOut, command: commandHandler({ roster, clock, maxAgeMs: 10_000 }) };
}

test("a command that says that it is older than the limit is refused, where the clock is set", async () => {
  const clock = new FakeClock();
  const { carriedOut, command } = handler(clock);
  const atMs = clock.wallMs();
  await clock.advance(10_000);
  await command("pump", undefined, { on: true, atMs });
  await clock.advance(1);
  await expect(command("pump", undefined, { on: true, atMs })).rejects.toMatchObject({
    code: "COMMAND_REFUSED",
    message: "it was given 10 s ago; 10 s (`mqtt.command_max_age`) are the most",
  });
  await command("pump", undefined, { on: true });
  clock.sync = "unsynced";
  await command("pump", undefined, { on: true, atMs });
  expect(carriedOut).toHaveLength(3);
});
