import { expect, test } from "vitest";
import type { Io } from "../../src/cli/command.ts";
import { allCommands } from "../../src/cli/commands.ts";
import { runProgram } from "../../src/cli/program.ts";

const commands = await allCommands();

test("a driver that does not exist is wrong usage, and the nearest name is offered", async () => {
  let errors = "";
  const io: Io = {
    out: () => undefined,
    err(text) {
      errors += text;
    },
    color: false,
    env: {},
    uid: 0,
    signal: new AbortController().signal,
    onReload: () => () => undefined,
  };
  expect(await runProgram(commands, ["drivers", "bme28"], "0.0.0", io)).toBe(2);
  expect(errors).toBe('error: there is no driver "bme28"; did you mean `bme280`?\n');
});
