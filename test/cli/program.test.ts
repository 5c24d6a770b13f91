import { describe, expect, it } from "vitest";
import { type Command, EXIT, type Io } from "../../src/cli/command.ts";
import { allCommands, commandsFor } from "../../src/cli/commands.ts";
import { runProgram } from "../../src/cli/program.ts";

const commands = await allCommands();

async function fieldpost(argv: readonly string[], table: readonly Command[] = commands) {
  let out = "";
  let err = "";
  const io: Io = {
    out: (text) => {
      out += text;
    },
    err: (text) => {
      err += text;
    },
    color: false,
    env: {},
    uid: 0,
    signal: new AbortController().signal,
    onReload: () => () => undefined,
  };
  const code = await runProgram(table, argv, "1.2.3", io);
  return { code, out, err };
}

describe("wrong usage is exit code 2, with help", () => {
  it.each([
    ["no command", [], "Usage: fieldpost [options] [command]"],
    ["an unknown command", ["raed"], "error: unknown command 'raed'"],
    ["help for an unknown command", ["help", "raed"], "error: unknown command 'raed'"],
    ["a missing argument", ["log"], "error: missing required argument 'level'"],
    ["an argument too many", ["read", "a", "b"], "error: too many arguments for 'read'"],
    ["an unknown option", ["check", "--fix"], "error: unknown option '--fix'"],
    ["an option without its value", ["check", "--config"], "error: option '--config <file>' argument missing"],
  ])("%s", async (_what, args, said) => {
    const { code, out, err } = await fieldpost(args);

    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toContain(said);
    expect(err).toContain("Usage: fieldpost");
  });
});

describe("help", () => {
  it.each(commands.map(({ name }) => name))("of %s shows what it takes, and an example that is right", async (name) => {
    const { code, out } = await fieldpost(["help", name]);
    const example = /\nExample:\n {2}fieldpost ([^|>]*)/.exec(out)?.[1]?.trim() ?? "";

    expect(code).toBe(0);
    expect(out).toContain(`Usage: fieldpost ${name} `);
    expect(example.split(" ")[0]).toBe(name);
    const parsed = commands.map((command) => ({ ...command, run: async () => EXIT.ok }));
    expect(await fieldpost(example.split(" "), parsed)).toMatchObject({ code: 0 });
  });

  it.each([["help"], ["--help"]])("%s lists every command", async (asked) => {
    const { code, out } = await fieldpost([asked]);

    expect(code).toBe(0);
    for (const { name } of commands) expect(out).toContain(`\n  ${name} `);
  });
});

describe("the commands that are loaded", () => {
  it("are the one that is asked for", async () => {
    expect((await commandsFor(["broker", "--config", "x.yaml"])).map(({ name }) => name)).toEqual(["broker"]);
  });

  it.each([[[]], [["--help"]], [["help", "run"]], [["brokre"]], [["toString"]]])(
    "are all of them for %j",
    async (argv) => {
      expect(await commandsFor(argv)).toEqual(commands);
    },
  );

  it.each(commands)("go by the name that they have: $name", async ({ name }) => {
    expect(await commandsFor([name])).toEqual([expect.objectContaining({ name })]);
  });
});
