import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Finished, MAIN, runCommand } from "../support/gateway.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "fieldpost-cli-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const VALID = `
devices:
  - { id: climate, driver: bme280, bus: sim }
  - { id: absent, driver: sht4x, bus: i2c-97 }
`;

/** `fieldpost ARGS --config FILE` with this file's text, on a store of its own. */
async function fieldpost(args: string, yaml = VALID): Promise<Finished> {
  const { words, env } = commandLine(args, yaml);
  return await runCommand(words, env);
}

function commandLine(args: string, yaml: string): { words: string[]; env: NodeJS.ProcessEnv } {
  const file = join(folder, "fieldpost.yaml");
  writeFileSync(file, `store: { path: ${join(folder, "store")} }\n${yaml}`);
  const env = { ...process.env, RUNTIME_DIRECTORY: join(folder, "run"), NO_COLOR: "1" };
  return { words: [...args.split(" "), "--config", file], env };
}

describe("wrong usage", () => {
  it("is 2, with help on stderr", async () => {
    expect(await runCommand(["raed"])).toEqual({
      code: 2,
      out: "",
      err: expect.stringMatching(/^error: unknown command 'raed'\n(.*\n)*Usage: fieldpost/),
    });
  });
});

describe("fieldpost --version", () => {
  it("prints the version and nothing else", async () => {
    expect(await runCommand(["--version"])).toEqual({
      code: 0,
      out: expect.stringMatching(/^\d+\.\d+\.\d+\n$/),
      err: "",
    });
  });
});

describe("fieldpost check", () => {
  it("is 0 for a valid configuration", async () => {
    expect(await fieldpost("check")).toMatchObject({
      code: 0,
      out: expect.stringMatching(/fieldpost\.yaml is valid: 2 devices\n$/),
      err: "",
    });
  });

  it("is 2 for a wrong one, each mistake at its line and column", async () => {
    const { code, out, err } = await fieldpost("check", "log: { levl: info }\nweb:\n  port: 0\n");

    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toMatch(/fieldpost\.yaml:2:8.*did you mean `level`\?/);
    expect(err).toMatch(/fieldpost\.yaml:4:9/);
  });

  it("is 2 for a missing one", async () => {
    const { code, err } = await runCommand(["check", "--config", join(folder, "missing.yaml")]);

    expect(code).toBe(2);
    expect(err).toContain("missing.yaml: error: there is no such file");
  });

  it("tells the same as JSON, on stdout, with the same exit codes", async () => {
    const valid = await fieldpost("check --json");
    expect({ ...valid, out: JSON.parse(valid.out) }).toEqual({ code: 0, out: { valid: true, problems: [] }, err: "" });

    const wrong = await fieldpost("check --json", "log: { levl: info }\n");
    expect({ ...wrong, out: JSON.parse(wrong.out) }).toMatchObject({
      code: 2,
      out: {
        valid: false,
        problems: [{ severity: "error", line: 2, column: 8, length: 4, path: "log.levl", message: expect.any(String) }],
      },
      err: "",
    });
  });
});

describe("fieldpost schema", () => {
  it("prints JSON Schema and needs no configuration", async () => {
    const { code, out } = await runCommand(["schema"]);

    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ type: "object", properties: { devices: { type: "array" } } });
  });
});

describe("fieldpost drivers", () => {
  it("lists them and needs no configuration", async () => {
    const { code, out } = await runCommand(["drivers"]);

    expect(code).toBe(0);
    expect(out).toMatch(/^bme280 {2,}Bosch BME280/m);
  });

  it("prints one, also by another name of it, and as JSON", async () => {
    const page = await runCommand(["drivers", "sht45"]);
    expect(page).toMatchObject({ code: 0, out: expect.stringContaining("options\n  precision") });

    const json = await runCommand(["drivers", "sht45", "--json"]);
    expect({ ...json, out: JSON.parse(json.out) }).toMatchObject({ code: 0, out: { name: "sht4x" } });
  });

  it("is 2 for one that there is not", async () => {
    expect(await runCommand(["drivers", "bme999"])).toMatchObject({
      code: 2,
      out: "",
      err: expect.stringContaining('there is no driver "bme999"'),
    });
  });
});

describe("fieldpost read", () => {
  it("is 0 for a device that answers, with its values and units", async () => {
    const { code, out } = await fieldpost("read climate");

    expect(code).toBe(0);
    expect(out).toMatch(/^climate {2}temperature {2}-?\d+(\.\d+)? °C\n/);
  });

  it("is 1 for a device that does not, with the reason", async () => {
    const { code, out } = await fieldpost("read");

    expect(code).toBe(1);
    expect(out).toMatch(/^climate +temperature/m);
    expect(out).toMatch(/^absent +error +there is no bus i2c-97 .*\(BUS_MISSING\)$/m);
  });

  it("prints a line of JSON a device", async () => {
    const { code, out } = await fieldpost("read --json");
    const answers = out.split("\n", 2).map((line) => JSON.parse(line));

    expect(code).toBe(1);
    expect(answers).toEqual([
      {
        device: "climate",
        values: { temperature: expect.any(Number), humidity: expect.any(Number), pressure: expect.any(Number) },
        units: { temperature: "°C", humidity: "%", pressure: "hPa" },
      },
      { device: "absent", error: { code: "BUS_MISSING", message: expect.any(String) } },
    ]);
  });

  it("is 2 for a device that is not configured, naming those that are", async () => {
    expect(await fieldpost("read nobody")).toMatchObject({ code: 2, err: expect.stringContaining("climate, absent") });
  });

  it("--watch goes on until Ctrl-C, which is 0", async () => {
    const { words, env } = commandLine("read climate --watch", VALID);
    const child = spawn(process.execPath, [MAIN, ...words], { env, stdio: ["ignore", "pipe", "inherit"] });
    await once(child.stdout, "data");
    child.kill("SIGINT");

    expect(await once(child, "exit")).toEqual([0, null]);
  });
});

describe("what asks the service", () => {
  it.each(["status --json", "log debug", "decommission climate"])("fieldpost %s is 3 where none runs", async (args) => {
    expect(await fieldpost(args)).toEqual({
      code: 3,
      out: "",
      err: expect.stringContaining("no service is running on this configuration's store"),
    });
  });
});

it("ends the whole gateway for nobody who did not say --gateway", async () => {
  const { code, out, err } = await fieldpost("decommission gateway --yes");
  expect([code, out]).toEqual([2, ""]);
  expect(err).toContain("--gateway");
});

describe.each(["run", "broker"])("fieldpost %s", (name) => {
  it("is 2 with a wrong configuration, and says every mistake", async () => {
    const { code, out, err } = await fieldpost(name, "log: { levl: info }\nweb: { prot: 1 }\n");

    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toMatch(/`levl`(.*\n)+.*`prot`/);
  });

  it("ends with 0 at Ctrl-C, after it said where it listens", async () => {
    const { words, env } = commandLine(name, "broker: { listeners: [{ port: 0 }] }\ndevices: []\n");
    const child = spawn(process.execPath, [MAIN, ...words], { env, stdio: ["ignore", "pipe", "ignore"] });
    const [said] = (await once(child.stdout, "data")) as [Buffer];
    child.kill("SIGINT");

    expect(await once(child, "exit")).toEqual([0, null]);
    expect(said.toString()).toMatch(/is running: .*mqtt:\/\/127\.0\.0\.1:\d+\n$/);
  });
});
