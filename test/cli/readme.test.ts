import { readFile } from "node:fs/promises";
import { describe, expect, it, test } from "vitest";
import type { Command } from "../../src/cli/command.ts";
import { allCommands } from "../../src/cli/commands.ts";
import { parseConfig } from "../../src/config/parse.ts";
import { drivers } from "../../src/drivers/registry.ts";

const commands = await allCommands();

const README = "../../README.md";
const readme = await readFile(new URL(README, import.meta.url), "utf8");

describe("the configuration in README", () => {
  const blocks = [...readme.matchAll(/^( *)```yaml\n(.*?)^ *```$/gms)].map(([, indent = "", text = ""]) =>
    text.replaceAll(new RegExp(`^${indent}`, "gm"), ""),
  );

  it.each(blocks)("is valid, and active: %s", (text) => {
    const secrets = new Map([
      ["mqtt_password", "x"],
      ["home_assistant_token", "x"],
    ]);
    const options = { file: "fieldpost.yaml", drivers, env: {}, secrets, secretsFrom: "", credentials: undefined };

    expect(parseConfig(text, options).notices).toEqual([]);
  });

  it("is there", () => {
    expect(blocks.length).toBeGreaterThanOrEqual(2);
  });
});

test("README lists the commands as the program has them (write them anew: `npx vitest run test/cli -u`)", async () => {
  const [before, rest] = readme.split("<!-- commands: generated, see test/cli/readme.test.ts -->\n");
  const [, after] = rest?.split("<!-- /commands -->") ?? [];
  if (after === undefined) throw new Error("README.md has lost the marks around its list of commands");
  const marked = ["<!-- commands: generated, see test/cli/readme.test.ts -->", table(), "<!-- /commands -->"].join(
    "\n",
  );

  await expect(`${before}${marked}${after}`).toMatchFileSnapshot(README);
});

/** Columns padded as the formatter does. */
function table(): string {
  const rows = [["command", "does"], ...commands.map((command) => [`\`${usage(command)}\``, command.summary])];
  const widths = [0, 1].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[], fill = " "): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0, fill)).join(" | ")} |`;
  const [head = [], ...body] = rows.map((row) => line(row));
  return ["", head, line(["", ""], "-"), ...body, ""].join("\n");
}

function usage({ name, arguments: words = [], options = [] }: Command): string {
  const named = words.map((word) => (word.optional ? `[${word.name.toUpperCase()}]` : word.name.toUpperCase()));
  return ["fieldpost", name, ...named, ...options.map(({ flags }) => `[${flags}]`)].join(" ");
}
