import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { describe, expect, test } from "vitest";

const SRC = join(import.meta.dirname, "../src");

/**
 * Who may import whom. The data flows one way (sensor to store to uplink); a station knows the nouns in `core` and the
 * stations named here, and nobody else.
 */
const mayImport: Record<string, readonly string[]> = {
  core: [],
  hardware: ["core"],
  processing: ["core"],
  sqlite: ["core"],
  "home-assistant": ["core"],
  service: ["core"],
  pki: ["core"],
  store: ["core", "sqlite"],
  broker: ["core", "sqlite"],
  drivers: ["core", "hardware"],
  config: ["core", "drivers", "processing"],
  sampling: ["core", "drivers"],
  import: ["core", "drivers", "config"],
  uplink: ["core", "store"],
  // Reads along behind the uplink, and tells Home Assistant itself.
  history: ["core", "store", "uplink"],
  lifecycle: ["core", "store", "uplink"],
  // The other end of the wire: it speaks MQTT as the uplink does.
  sink: ["core", "sqlite", "uplink"],
  scan: ["core", "drivers", "hardware"],
  // Only these wire stations together.
  "agent.ts": ["*"],
  wiring: ["*"],
  cli: ["*"],
  "main.ts": ["cli"],
};

/** Who may touch an npm package: one file or one station each, so that replacing or containing it stays in one place. */
const packageOwners: Record<string, readonly string[]> = {
  mqtt: ["uplink/client/mqtt-client.ts"],
  onoff: ["hardware/linux/gpio.ts"],
  "i2c-bus": ["hardware/linux/i2c.ts"],
  "better-sqlite3": ["sqlite/"],
  // Another gateway's file is YAML of another dialect.
  yaml: ["config/", "import/"],
  commander: ["cli/program.ts"],
  hono: ["service/control-server.ts"],
  "@hono/node-server": ["service/control-server.ts"],
  // Shapes of what comes from outside are said in zod where they come in.
  ws: ["broker/listeners/websocket.ts", "history/api-socket.ts"],
  zod: ["config/", "drivers/", "wiring/"],
};

interface Import {
  readonly from: string;
  readonly to: string;
  readonly typeOnly: boolean;
}

const files = readdirSync(SRC, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".ts"));
const imports = files.flatMap(importsOf);

function importsOf(file: string): Import[] {
  const text = readFileSync(join(SRC, file), "utf8");
  const statements = text.matchAll(/^(?:import|export)\s+(type\s)?(?:[^"';]*?\sfrom\s+)?["']([^"']+)["']/gm);
  const dynamic = text.matchAll(/\bimport\(\s*["']([^"']+)["']\s*\)/g);
  return [
    ...[...statements].map(([, type, to = ""]) => ({ from: file, to, typeOnly: type !== undefined })),
    ...[...dynamic].map(([, to = ""]) => ({ from: file, to, typeOnly: false })),
  ];
}

const stationOf = (file: string): string => file.split("/")[0] ?? file;

function targetOf({ from, to }: Import): string {
  return relative(SRC, join(SRC, dirname(from), to));
}

const packageOf = (to: string): string =>
  to
    .split("/")
    .slice(0, to.startsWith("@") ? 2 : 1)
    .join("/");

describe("who may import whom", () => {
  const relativeImports = imports.filter(({ to }) => to.startsWith("."));

  test("the test sees the imports", () => {
    expect(files.length).toBeGreaterThan(20);
    expect(relativeImports.length).toBeGreaterThan(files.length);
  });

  test.each([...new Set(files.map(stationOf))])("%s is a station of the table", (station) => {
    expect(Object.keys(mayImport)).toContain(station);
  });

  test("every import goes along the table", () => {
    const forbidden = relativeImports.filter((one) => {
      const [from, to] = [stationOf(one.from), stationOf(targetOf(one))];
      const allowed = mayImport[from] ?? [];
      return from !== to && !allowed.includes("*") && !allowed.includes(to);
    });
    expect(forbidden.map(({ from, to }) => `${from} imports ${to}`)).toEqual([]);
  });

  test("the broker and the gateway speak MQTT, not TypeScript", () => {
    const crossing = relativeImports.filter((one) => {
      const [from, to] = [stationOf(one.from), stationOf(targetOf(one))];
      return to === "broker" && from !== "broker" && !["agent.ts", "cli", "wiring"].includes(from);
    });
    expect(crossing).toEqual([]);
  });

  test("every relative import names its file with .ts", () => {
    expect(relativeImports.filter(({ to }) => !to.endsWith(".ts"))).toEqual([]);
  });
});

describe("who may touch which package", () => {
  const packages = imports.filter(({ to }) => !to.startsWith(".") && !to.startsWith("node:"));

  test("every package has an owner, and only its owner imports it", () => {
    const strangers = packages.filter(({ from, to }) => {
      const owners = packageOwners[packageOf(to)] ?? [];
      return !owners.some((owner) => (owner.endsWith("/") ? from.startsWith(owner) : from === owner));
    });
    expect(strangers.map(({ from, to }) => `${from} imports ${to}`)).toEqual([]);
  });

  test("SQLite never comes into the main thread: only what runs in a worker thread imports the station that owns it", () => {
    const runtime = imports.filter((one) => !one.typeOnly && one.to.startsWith("."));
    const isWorker = (file: string) => /-worker\.ts$/.test(file);
    const openers = runtime.filter((one) => targetOf(one) === "sqlite/database.ts" && !one.from.startsWith("sqlite/"));
    expect(openers.map(({ from }) => from).filter((from) => !isWorker(from))).toEqual([]);
    expect(runtime.filter((one) => isWorker(targetOf(one))).map(({ from }) => from)).toEqual([]);
  });
});

test("no file outgrows its reader", () => {
  const long = files.filter((file) => readFileSync(join(SRC, file), "utf8").split("\n").length > 350);
  expect(long).toEqual([]);
});
