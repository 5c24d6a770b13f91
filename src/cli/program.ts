import { Command as Commander, CommanderError } from "commander";
import { type Command, EXIT, type ExitCode, type Io } from "./command.ts";

export const DEFAULT_CONFIG_FILE = "/etc/fieldpost/fieldpost.yaml";

/** Parses the arguments after `fieldpost` by the table, and runs the command. Wrong usage is exit code 2. */
export async function runProgram(
  commands: readonly Command[],
  argv: readonly string[],
  version: string,
  io: Io,
): Promise<ExitCode> {
  let exitCode: ExitCode = EXIT.ok;
  const program = new Commander("fieldpost")
    .description("Raspberry Pi sensor gateway: reads sensors, keeps every reading safe, delivers it over MQTT.")
    .version(version)
    .showHelpAfterError()
    .addHelpText("after", "\n`fieldpost help COMMAND` shows what a command takes, and an example.")
    .exitOverride()
    .configureOutput({ writeOut: (text) => io.out(text), writeErr: (text) => io.err(text) });
  for (const command of commands) {
    addCommand(program, command, io, (code) => {
      exitCode = code;
    });
  }
  try {
    await program.parseAsync([...asked(argv, commands)], { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  }
  return exitCode;
}

/** Commander shows help for a command that there is not; without `help` it says that there is none. */
function asked(argv: readonly string[], commands: readonly Command[]): readonly string[] {
  const [first, name] = argv;
  const isWrong = first === "help" && name !== undefined && !commands.some((command) => command.name === name);
  return isWrong ? [name] : argv;
}

function addCommand(program: Commander, command: Command, io: Io, done: (code: ExitCode) => void): void {
  const made = program
    .command(command.name)
    .description(command.summary)
    .option("--config <file>", "the configuration file", DEFAULT_CONFIG_FILE)
    .addHelpText("after", `\nExample:\n  ${command.example}`);
  for (const { name, about, optional } of command.arguments ?? []) {
    made.argument(optional ? `[${name}]` : `<${name}>`, about);
  }
  if (command.printsData) made.option("--json", "print JSON");
  for (const { flags, about } of command.options ?? []) made.option(flags, about);
  made.action(async () => {
    const options = made.opts<{ config: string; json?: boolean }>();
    done(await command.run({ args: made.args, options, configFile: options.config, json: options.json === true, io }));
  });
}
