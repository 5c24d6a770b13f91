import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runCommand } from "../support/gateway.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "fieldpost-import-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const OTHER = `
mqtt: { host: broker.lan, user: me, password: s3cret }
sensor_modules: [{ name: hall, module: bme280, i2c_bus_num: 1, chip_addr: 0x76 }]
sensor_inputs: [{ name: hall_temperature, module: hall, type: temperature }]
stream_modules: [{ name: ups, module: serial }]
`;

function file(name: string, text: string): string {
  writeFileSync(join(folder, name), text, { mode: 0o600 });
  return join(folder, name);
}

describe("fieldpost import mqtt-io", () => {
  it("prints a configuration that fieldpost check accepts, and what it left out on stderr", async () => {
    const { code, out, err } = await runCommand(["import", "mqtt-io", file("config.yml", OTHER)]);
    file("secrets.yaml", "mqtt_password: s3cret\n");
    const checked = await runCommand(["check", "--config", file("fieldpost.yaml", out)]);

    expect({ code, err: err.split("\n") }).toEqual({
      code: 0,
      err: [
        "mqtt.password: write it into `secrets.yaml` beside the configuration, as `mqtt_password: …`",
        "stream_modules[0] (ups): left out: serial ports and streams are not read",
        "",
      ],
    });
    expect(checked).toMatchObject({ code: 0, out: expect.stringMatching(/is valid: 1 device\n$/) });
  });

  it.each([
    ["a file that is not there", ["mqtt-io", "/nowhere.yml"], "/nowhere.yml: there is no such file"],
    ["another gateway's", ["telegraf", "/nowhere.conf"], "only configurations of mqtt-io are understood"],
  ])("is 2 for %s", async (_what, args, said) => {
    const { code, err } = await runCommand(["import", ...args]);

    expect(code).toBe(2);
    expect(err).toContain(said);
  });

  it("is 2 for broken YAML, with its line", async () => {
    const { code, err } = await runCommand(["import", "mqtt-io", file("broken.yml", "mqtt:\n  host: [")]);

    expect(code).toBe(2);
    expect(err).toContain("line 2");
  });
});
