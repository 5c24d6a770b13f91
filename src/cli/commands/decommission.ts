import { linuxClock } from "../../hardware/clock.ts";
import type { DecommissionResult } from "../../lifecycle/decommission.ts";
import { decommissionAtRest, reviveAtRest } from "../../wiring/decommission-at-rest.ts";
import { type Command, EXIT, type Invocation } from "../command.ts";
import { askServiceOrStore } from "../service-access.ts";

export const decommission: Command = {
  name: "decommission",
  arguments: [{ name: "device", about: "the device's id" }],
  summary: "end a device: stop it, clear every retained topic it ever left, see that they are gone",
  options: [
    { flags: "--dry-run", about: "only say what would be cleared" },
    { flags: "--revive", about: "let a decommissioned device come back: it is sampled again" },
  ],
  printsData: true,
  example: "fieldpost decommission climate --dry-run",
  async run(invocation) {
    const [device] = invocation.args;
    return invocation.options.revive === true ? await revive(invocation, device) : await end(invocation, device);
  },
};

async function end(invocation: Invocation, device = "") {
  const { io, json, options } = invocation;
  const dryRun = options.dryRun === true;
  const question = { device, dry_run: dryRun };
  const result = await askServiceOrStore(invocation, "decommission", question, (config) =>
    decommissionAtRest(config, device, dryRun, atRestDeps(invocation)),
  );
  io.out(json ? `${JSON.stringify(result)}\n` : renderResult(result));
  return EXIT.ok;
}

async function revive(invocation: Invocation, device = "") {
  await askServiceOrStore(invocation, "revive", { device }, (config) =>
    reviveAtRest(config, device, atRestDeps(invocation)),
  );
  invocation.io.out(invocation.json ? `${JSON.stringify({ device, revived: true })}\n` : `${device} may come back.\n`);
  return EXIT.ok;
}

function atRestDeps({ io }: Invocation) {
  return { clock: linuxClock(), random: Math.random, uid: io.uid, signal: io.signal };
}

function renderResult({ device, dryRun, topics, steps }: DecommissionResult): string {
  const list = topics.map((topic) => `  ${topic}\n`).join("");
  if (dryRun) return topics.length > 0 ? `would clear:\n${list}` : `nothing retained is left of ${device}\n`;
  const done = steps.map(({ title, outcome }) => `${outcome === "done" ? "done   " : "already"}  ${title}\n`).join("");
  return `${done}${topics.length > 0 ? `cleared and seen to be gone:\n${list}` : ""}${device} is decommissioned. Take it out of the configuration.\n`;
}
