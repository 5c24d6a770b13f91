import { chmod, cp, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Loaded, loadConfig } from "../../src/config/load.ts";
import { isConfigError } from "../../src/config/problems.ts";
import { drivers } from "../../src/drivers/registry.ts";
import { parse } from "./support.ts";

describe("the contract's configuration files", () => {
  let folder = "";
  const load = (name: string, missingFiles: "warn" | "error" = "warn"): Promise<Loaded> =>
    loadConfig(join(folder, name), { missingFiles, env: {} });

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "fieldpost-config-"));
    await cp(new URL("../fixtures/contract", import.meta.url), folder, { recursive: true });
    await chmod(join(folder, "secrets.yaml"), 0o600);
  });
  afterAll(() => rm(folder, { recursive: true }));

  it("accepts gateway.yaml as it stands", async () => {
    const { config } = await load("gateway.yaml");

    expect(config.gateway).toEqual({ id: "greenhouse", name: "Greenhouse gateway", area: "Greenhouse" });
    expect(config.mqtt).toMatchObject({
      urls: ["mqtts://broker.example.org:8883"],
      keepAliveMs: 30_000,
      drainRate: 200,
      tls: { caFile: "/etc/fieldpost/ca.pem" },
    });
    expect(config.mqtt.password?.reveal()).toBe("correct-horse-battery-staple");
    expect(config.store).toMatchObject({ commitWindowMs: 5000, maxBytes: 2 ** 30, maxAgeMs: 90 * 86_400_000 });
    expect(config.devices.map(({ id, bus, address, intervalMs }) => ({ id, bus, address, intervalMs }))).toMatchObject([
      { id: "climate", bus: "i2c-1", address: 0x76, intervalMs: 10_000 },
      { id: "soil", bus: "local", intervalMs: 60_000 },
      { id: "door" },
      { id: "water" },
      { id: "pump" },
      { id: "pi", intervalMs: 60_000 },
    ]);
  });

  it("tells what of gateway.yaml is not active yet, path by path", async () => {
    const { notices } = await load("gateway.yaml");

    const inactive = notices.filter(({ severity }) => severity === "inactive").map(({ path }) => path);
    expect(inactive).toEqual(expect.arrayContaining(["web"]));
  });

  it("warns in `check` about every file that is missing, at its place", async () => {
    const { notices } = await load("gateway.yaml");

    const warnings = notices
      .filter(({ severity }) => severity === "warning")
      .map(({ line, path }) => `${line} ${path}`);
    expect(warnings.filter((line) => line.includes("tls") || line.includes("_file"))).toEqual([
      "21 mqtt.tls.ca",
      "22 mqtt.tls.cert",
      "23 mqtt.tls.key",
      "36 broker.listeners[1].tls.cert",
      "36 broker.listeners[1].tls.key",
      "40 broker.listeners[2].tls.cert",
      "40 broker.listeners[2].tls.key",
      "41 broker.password_file",
      "42 broker.acl_file",
    ]);
  });

  it("refuses to run without those files", async () => {
    const error = await load("gateway.yaml", "error").catch((caught: unknown) => caught);

    expect(isConfigError(error) && error.problems.filter(({ severity }) => severity === "error")).toHaveLength(9);
  });

  it("accepts broker.yaml, which is the broker's section alone, and reads its limits", async () => {
    const { config } = await load("broker.yaml");

    expect(config.devices).toEqual([]);
    expect(config.broker.enabled).toBe(true);
    expect(config.broker.listeners).toHaveLength(4);
    expect(config.broker.limits).toMatchObject({
      packetBytes: 2_000_000,
      keepAliveMs: 65_535_000,
      publishRate: undefined,
    });
    expect(config.broker.listeners.map(({ allowAnonymous }) => allowAnonymous)).toEqual([true, false, false, false]);
  });

  it("takes the values shown in broker.yaml as defaults", async () => {
    const { config } = await load("broker.yaml");
    const { limits, autoIdPrefix, sysIntervalMs, persistence } = config.broker;

    expect(parse("broker: {}").config.broker).toMatchObject({ limits, autoIdPrefix, sysIntervalMs, persistence });
  });
});

describe("the configurations that come with fieldpost", () => {
  it.each(["fieldpost.yaml", "try.yaml"])("%s is valid and has no notices", async (name) => {
    const file = fileURLToPath(new URL(`../../config/${name}`, import.meta.url));

    const { notices } = await loadConfig(file, { missingFiles: "error", env: {} });
    expect(notices).toEqual([]);
  });

  it("the starter's commented examples are valid too", async () => {
    const text = await readFile(new URL("../../config/fieldpost.yaml", import.meta.url), "utf8");
    const [head = "", body = ""] = text.split("\n\n# gateway:");
    const uncommented = `# gateway:${body}`.replaceAll(/^( *)# ( *(?:- )?[a-z_]+:)/gm, "$1$2");

    expect(head).toContain("fieldpost check");
    const { config } = parse(uncommented, { drivers, secrets: new Map([["mqtt_password", "x"]]) });
    expect(config.devices.map(({ id }) => id)).toEqual(["pi", "climate", "soil", "door"]);
    expect(config.mqtt.username).toBe("greenhouse");
  });
});
