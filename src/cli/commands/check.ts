import { loadConfig } from "../../config/load.ts";
import { isConfigError, type Problem } from "../../config/problems.ts";
import { render } from "../../config/render.ts";
import { tombstonesOf } from "../../wiring/lifecycle/tombstones.ts";
import { type Command, EXIT } from "../command.ts";

export const check: Command = {
  name: "check",
  summary:
    "validate the configuration: every mistake at once, each at its line and column; exit code 2 if there is one",
  printsData: true,
  example: "fieldpost check --config fieldpost.yaml",
  async run({ configFile, io, json }) {
    const { problems, summary } = await examine(configFile, io.env);
    const valid = problems.every(({ severity }) => severity !== "error");
    if (json) io.out(`${JSON.stringify({ valid, problems })}\n`);
    else {
      if (problems.length > 0) io.err(`${render(problems, { color: io.color })}\n`);
      if (valid) io.out(`${configFile} is valid: ${summary}\n`);
    }
    return valid ? EXIT.ok : EXIT.usage;
  },
};

async function examine(
  file: string,
  env: NodeJS.ProcessEnv,
): Promise<{ problems: readonly Problem[]; summary: string }> {
  try {
    const { config, notices } = await loadConfig(file, {
      missingFiles: "warn",
      env,
      decommissioned: tombstonesOf,
    });
    const count = config.devices.length;
    return { problems: notices, summary: `${count} ${count === 1 ? "device" : "devices"}` };
  } catch (error) {
    if (!isConfigError(error)) throw error;
    return { problems: error.problems, summary: "" };
  }
}
