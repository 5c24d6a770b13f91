import { execFileSync } from "node:child_process";
import { chmod, mkdir, mkdtemp, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Loaded, loadConfig } from "../../src/config/load.ts";
import { isConfigError, type Problem } from "../../src/config/problems.ts";
import { testDrivers } from "./support.ts";

let folder = "";
const at = (name: string): string => join(folder, name);
const load = (name: string, env: Record<string, string> = {}): Promise<Loaded> =>
  loadConfig(at(name), { missingFiles: "error", env, drivers: testDrivers });

async function problemsOf(name: string, env: Record<string, string> = {}): Promise<readonly Problem[]> {
  const error = await load(name, env).then(
    () => new Error("this configuration was accepted"),
    (caught: unknown) => caught,
  );
  if (isConfigError(error)) return error.problems;
  throw error;
}

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "fieldpost-load-"));
});
afterEach(() => rm(folder, { recursive: true }));

describe("a file that is no configuration", () => {
  it("that is missing is told with the remedy", async () => {
    expect(await problemsOf("none.yaml")).toEqual([
      {
        severity: "error",
        file: at("none.yaml"),
        message: "there is no such file: `--config FILE` names another, and config/fieldpost.yaml is one to begin with",
      },
    ]);
  });

  it("that is huge is refused without being read", async () => {
    await writeFile(at("huge.yaml"), "a");
    await truncate(at("huge.yaml"), 100 * 2 ** 20);

    const before = process.memoryUsage().arrayBuffers;
    expect(await problemsOf("huge.yaml")).toMatchObject([{ message: expect.stringMatching(/^bigger than 1 MiB/) }]);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(10 * 2 ** 20);
  });

  it.each([
    ["binary", Buffer.from([0x6d, 0x0a, 0x71, 0x00, 0x74]), /^this is a binary file/, 2, 2],
    ["UTF-16", Buffer.from("\ufeffmqtt: {}", "utf16le"), /^this is UTF-16/, 1, 1],
    ["Latin-1", Buffer.from("web: {}\ngateway: { name: Gew\xe4chshaus }", "latin1"), /^not UTF-8 text/, 2, 21],
  ])("that is %s is refused at its place", async (_kind, bytes, message, line, column) => {
    await writeFile(at("c.yaml"), bytes);

    expect(await problemsOf("c.yaml")).toMatchObject([{ message: expect.stringMatching(message), line, column }]);
  });

  it("that is a directory, a device or a pipe is refused without waiting", async () => {
    await mkdir(at("directory"));
    execFileSync("/usr/bin/mkfifo", [at("pipe")]);

    expect(await problemsOf("directory")).toMatchObject([{ message: expect.stringContaining("this is a directory") }]);
    expect(await problemsOf("pipe")).toMatchObject([{ message: "this is not a regular file" }]);
    expect(await problemsOf("../../../../dev/zero")).toMatchObject([{ message: "this is not a regular file" }]);
  });

  it("has its byte order mark removed", async () => {
    await writeFile(at("c.yaml"), "\ufefflog: { level: debug }");

    expect((await load("c.yaml")).config.log.level).toBe("debug");
  });
});

describe("secrets.yaml", () => {
  const configuration = "mqtt: { url: 'mqtts://h', password: !secret mqtt_password }\n";

  beforeEach(() => writeFile(at("c.yaml"), configuration));

  it("gives the values, as text whatever they look like", async () => {
    await writeFile(at("secrets.yaml"), "mqtt_password: 0123\n", { mode: 0o600 });

    const { config, notices } = await load("c.yaml");
    expect(config.mqtt.password?.reveal()).toBe("0123");
    expect(notices).toEqual([]);
  });

  it("is a warning where others can read it", async () => {
    await writeFile(at("secrets.yaml"), "mqtt_password: x\n");
    await chmod(at("secrets.yaml"), 0o644);

    expect((await load("c.yaml")).notices).toMatchObject([
      { severity: "warning", file: at("secrets.yaml"), message: expect.stringContaining("chmod 600") },
    ]);
  });

  it("that is missing is said at the place that needs it", async () => {
    expect(await problemsOf("c.yaml")).toMatchObject([
      { line: 1, column: 45, message: expect.stringContaining("secrets.yaml (there is no such file)") },
    ]);
  });

  it.each([
    ["a nested value", "mqtt_password: { a: hunter2 }", 1],
    ["a name twice", "mqtt_password: hunter2\nmqtt_password: hunter2", 2],
    ["no mapping", "- hunter2", 1],
    ["broken YAML", "mqtt_password: 'hunter2", 1],
    ["an anchor", "mqtt_password: &hunter2 x", 1],
  ])("with %s is refused without showing any of it", async (_what, text, line) => {
    await writeFile(at("secrets.yaml"), text, { mode: 0o600 });

    const problems = await problemsOf("c.yaml");
    expect(problems).toContainEqual(expect.objectContaining({ file: at("secrets.yaml"), line, severity: "error" }));
    expect(JSON.stringify(problems)).not.toContain("hunter2");
  });
});

describe("systemd credentials", () => {
  it("are read without their last line end, for `!credential` and for `!secret`", async () => {
    await mkdir(at("credentials"));
    await writeFile(at("credentials/broker"), "hunter2\n");
    await writeFile(at("c.yaml"), "mqtt: { username: !credential broker, password: !secret broker }\n");

    const { config } = await load("c.yaml", { CREDENTIALS_DIRECTORY: at("credentials") });
    expect(config.mqtt.username).toBe("hunter2");
    expect(config.mqtt.password?.reveal()).toBe("hunter2");
  });
});

describe("files that the configuration names", () => {
  it("are looked for beside it, and told along with other mistakes", async () => {
    await writeFile(at("ca.pem"), "");
    await writeFile(
      at("c.yaml"),
      "mqtt:\n  url: mqtts://h\n  tls: { ca: ca.pem, cert: c.pem, key: k.pem }\nlog: { level: x }\n",
    );

    const errors = (await problemsOf("c.yaml")).filter(({ severity }) => severity === "error");
    expect(errors).toMatchObject([
      { line: 3, column: 28, message: `there is no file ${at("c.pem")}`, path: "mqtt.tls.cert" },
      { line: 3, column: 40, message: `there is no file ${at("k.pem")}` },
      { line: 4, path: "log.level" },
    ]);
  });

  it("of a broker that is switched off are nobody's concern", async () => {
    await writeFile(at("c.yaml"), "broker: { enabled: false, password_file: none }\n");

    expect((await load("c.yaml")).config.broker.enabled).toBe(false);
  });
});

describe("a file that the configuration names", () => {
  const warningsOf = async (tls: string) => {
    await writeFile(at("c.yaml"), `mqtt: { url: "mqtts://h", tls: { ${tls} } }`);
    const { notices } = await load("c.yaml");
    return notices.map(({ column, message }) => `${column} ${message}`);
  };

  it("and that is a directory is an error", async () => {
    await mkdir(at("ca.pem"));
    await writeFile(at("c.yaml"), 'mqtt: { url: "mqtts://h", tls: { ca: ca.pem } }');

    expect(await problemsOf("c.yaml")).toMatchObject([
      { severity: "error", column: 38, message: expect.stringContaining("is not a file") },
    ]);
  });

  it("and that is no certificate or key is a warning: sampling goes on without it", async () => {
    await writeFile(at("bad.pem"), "garbage");

    expect(await warningsOf("ca: bad.pem")).toEqual([
      expect.stringMatching(/^38 .*bad.pem is not a certificate in PEM/),
    ]);
    expect(await warningsOf("cert: bad.pem, key: bad.pem")).toEqual([
      expect.stringMatching(/^40 .*is not a certificate/),
      expect.stringMatching(/^54 .*is not an unencrypted private key/),
    ]);
  });
});
