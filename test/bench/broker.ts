/**
 * The bundled broker beside Debian's Mosquitto and aedes, taking turns in one run.
 *   scripts/bench broker [--rounds N] [--seconds S] [--only a,b,m] [--json]
 * The machine's own noise is in all of them: believe the CPU seconds a million messages and the ratios.
 */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { buildMqload, mqload } from "./support/mqload.ts";
import { aedes, fieldpost, mosquitto, type Peer } from "./support/peers.ts";
import { type Measured, type Result, summarise, table } from "./support/report.ts";
import { type Scenario, scenarios } from "./support/scenarios.ts";

const { values: options } = parseArgs({
  options: {
    rounds: { type: "string", default: "5" },
    seconds: { type: "string", default: "3" },
    only: { type: "string" },
    json: { type: "boolean", default: false },
  },
});
const only = options.only?.split(",");
const chosen = scenarios.filter(({ key }) => only === undefined || only.includes(key));
const say = (text: string) => void process.stderr.write(`${text}\n`);

const root = join(import.meta.dirname, "../../..");
const peers: Peer[] = [mosquitto(), fieldpost(join(root, "dist/main.js"))];
const other = aedes();
if (other) peers.push(other);
else say("aedes is not measured: npm could not install aedes@1");

const directory = mkdtempSync(join(tmpdir(), "fieldpost-bench-"));
try {
  const program = buildMqload(directory);
  const results: Result[] = [];
  for (const scenario of chosen) {
    const own = await measureInTurns(program, scenario);
    if (!options.json) process.stdout.write(table(scenario, own));
    results.push(...own);
  }
  if (options.json) process.stdout.write(`${JSON.stringify(results, undefined, 2)}\n`);
} finally {
  rmSync(directory, { recursive: true });
}

/** All start anew for each scenario: then nobody measures what another scenario left behind. */
async function measureInTurns(program: string, scenario: Scenario): Promise<Result[]> {
  const measured: Measured[][] = peers.map(() => []);
  for (let round = 0; round < Number(options.rounds); round++)
    for (const [at, peer] of peers.entries()) {
      const home = join(directory, `${scenario.key}-${round}-${peer.name}`);
      mkdirSync(home);
      await using running = await peer.start(home);
      const { port, pid } = running;
      measured[at]?.push(await mqload(program, { ...scenario.load, port, pid, secs: Number(options.seconds) }));
    }
  return peers.map(({ name }, at) => summarise(scenario, name, measured[at] ?? [], measured[0] ?? []));
}
