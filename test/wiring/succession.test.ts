import { expect, test } from "vitest";
import { GatewayError } from "../../src/core/errors.ts";
import { runInSuccession } from "../../src/wiring/lifecycle/succession.ts";

const taken = new GatewayError("ADDRESS_IN_USE", "port 1883 is taken");

/** Runs as the script says of each turn: comes up and ends with another configuration, or fails. */
async function play(script: Array<{ fails?: Error; up?: boolean; next?: string }>) {
  const ran: string[] = [];
  const logged: string[] = [];
  const run = async (config: string, up: () => void) => {
    ran.push(config);
    const turn = script.shift() ?? {};
    if (turn.up ?? !turn.fails) up();
    if (turn.fails) throw turn.fails;
    return turn.next;
  };
  const error = await runInSuccession("first", run, { error: (message) => void logged.push(message) }).catch((e) => e);
  return { ran, logged, error };
}

test("one configuration follows the other until there is none", async () => {
  const { ran, error } = await play([{ next: "second" }, { next: "third" }, {}]);
  expect(ran).toEqual(["first", "second", "third"]);
  expect(error).toBeUndefined();
});

test("a new configuration that cannot start gives way to the one that ran", async () => {
  const { ran, logged, error } = await play([{ next: "second" }, { fails: taken }, {}]);
  expect(ran).toEqual(["first", "second", "first"]);
  expect(logged).toHaveLength(1);
  expect(error).toBeUndefined();
});

test("the first configuration that cannot start, and an old one that no longer can, end the service", async () => {
  expect((await play([{ fails: taken }])).error).toBe(taken);
  const { ran, error } = await play([{ next: "second" }, { fails: taken }, { fails: taken }]);
  expect(ran).toEqual(["first", "second", "first"]);
  expect(error).toBe(taken);
});

test("what fails once it is up, or by a bug, ends the service", async () => {
  expect((await play([{ next: "second" }, { fails: taken, up: true }])).error).toBe(taken);
  const bug = new TypeError("a bug");
  expect((await play([{ next: "second" }, { fails: bug }])).error).toBe(bug);
});
