import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Collector, collect, freePort, type Mosquitto, startMosquitto, waitFor } from "../support/mosquitto.ts";
import { type Program, program } from "./program.ts";
import { nameOf, startSource } from "./source.ts";

const FLOW = join(import.meta.dirname, "../../config/recipes/node-red-flow.json");

interface FlowNode {
  readonly id: string;
  readonly type: string;
  readonly [key: string]: unknown;
}

const OUT = { readings: "test/readings", holes: "test/holes" };

/** The recipe's own nodes at this broker; what comes out of them goes to `test/…` as well. */
function flowAt(port: number): FlowNode[] {
  const nodes = JSON.parse(readFileSync(FLOW, "utf8")) as FlowNode[];
  const tab = nodes.find(({ type }) => type === "tab")?.id;
  const out = (id: string, topic: string): FlowNode => {
    return { id, type: "mqtt out", z: tab, topic, qos: "1", broker: "fieldpost_broker", x: 700, y: 100, wires: [] };
  };
  const at = { broker: "127.0.0.1", port: `${port}` };
  return [
    ...nodes.map((node): FlowNode => {
      if (node.type === "mqtt-broker") return { ...node, ...at };
      if (node.type !== "function") return node;
      const [reading = [], hole = []] = node.wires as string[][];
      return {
        ...node,
        wires: [
          [...reading, "test_reading"],
          [...hole, "test_hole"],
        ],
      };
    }),
    out("test_reading", OUT.readings),
    out("test_hole", OUT.holes),
  ];
}

let directory: string;
let broker: Mosquitto;
let nodeRed: Program;
let results: Collector;

beforeEach(async () => {
  const installed = process.env.FIELDPOST_NODE_RED;
  if (!installed) throw new Error("Node-RED is installed by scripts/recipes: run that");
  directory = mkdtempSync(join(tmpdir(), "fieldpost-node-red-"));
  broker = await startMosquitto();
  results = await collect(broker.port, "test/#");
  const settings = join(directory, "settings.js");
  const port = await freePort();
  // As the recipe says: what was seen outlives a restart.
  const context = { default: { module: "localfilesystem" } };
  const options = { uiHost: "127.0.0.1", uiPort: port, flowFile: "flows.json", contextStorage: context };
  writeFileSync(settings, `module.exports = ${JSON.stringify({ ...options, telemetry: { enabled: false } })}`);
  const main = join(installed, "node_modules/node-red/red.js");
  nodeRed = program([process.execPath, main, "--settings", settings, "--userDir", directory], {
    // Its editor's own Node options would be inherited from the test's.
    env: { NODE_OPTIONS: "" },
    isReady: (output) => output.includes("Started flows"),
  });
  await nodeRed.start();
  await importFlow(port);
});
afterEach(async () => {
  await nodeRed[Symbol.asyncDispose]();
  await results[Symbol.asyncDispose]();
  await broker[Symbol.asyncDispose]();
  rmSync(directory, { recursive: true, force: true });
});

/** As its editor does: Menu, Import, Deploy. */
async function importFlow(port: number): Promise<void> {
  const answer = await fetch(`http://127.0.0.1:${port}/flows`, {
    method: "POST",
    headers: { "content-type": "application/json", "Node-RED-Deployment-Type": "full" },
    body: JSON.stringify(flowAt(broker.port)),
  });
  expect(answer.status).toBe(204);
  await connected();
}

/** What comes out goes over the flow's own connection: over another it would be dropped until that is up. */
async function connected(): Promise<void> {
  await waitFor(() => nodeRed.output().includes("Connected to broker"), "its connection", 240_000);
}

const passed = () => results.on(OUT.readings).map((payload) => nameOf(JSON.parse(payload)));

test("Node-RED passes every reading on once, over repetitions, its restart and a time away", async () => {
  await using source = await startSource(broker);
  await source.more(10);
  await source.repeat(5);
  await nodeRed.stop("SIGTERM");
  await source.more(10);
  await source.repeat(15);
  await nodeRed.start();
  await connected();
  await source.more(4);
  await source.repeat(4);
  source.gateway.signal("SIGTERM");
  await source.gateway.exited();
  const names = source.names();
  await waitFor(() => new Set(passed()).size === names.length, "every reading");
  // What is repeated after them has passed or has not when the last one of all has.
  await results.publish("fieldpost/gw/fence/readings", '{"epoch":1,"seq":1,"values":{}}');
  await waitFor(() => passed().includes("gw/1/1"), "the fence");
  expect(passed().toSorted()).toEqual([...names, "gw/1/1"].toSorted());
  expect(results.on(OUT.holes)).toEqual([]);
  const [first] = results.on(OUT.readings).map((payload) => JSON.parse(payload));
  expect(first).toMatchObject({ gateway: "gw", epoch: expect.any(Number), clock: expect.any(String) });
});

test("and tells of a hole when it opens; what fills it passes", async () => {
  for (const seq of [1, 2, 5, 4, 5, 3, 2, 6]) {
    await results.publish("fieldpost/gw/climate/readings", JSON.stringify({ epoch: 7, seq, values: {} }));
  }
  await waitFor(() => passed().includes("gw/7/6"), "the last one");
  expect(passed()).toEqual([1, 2, 5, 4, 3, 6].map((seq) => `gw/7/${seq}`));
  const holes = results.on(OUT.holes).map((payload) => JSON.parse(payload));
  expect(holes).toEqual([{ gateway: "gw", epoch: 7, from: 3, to: 4 }]);
});
