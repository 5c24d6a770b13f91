import { GATEWAY } from "../../core/device.ts";
import { linuxClock } from "../../hardware/clock.ts";
import { linuxHardware } from "../../hardware/linux/hardware.ts";
import type { DeadResult } from "../../lifecycle/dead-gateway.ts";
import type { DecommissionResult } from "../../lifecycle/decommission.ts";
import { auditAtRest, decommissionAtRest, reviveAtRest } from "../../wiring/lifecycle/decommission-at-rest.ts";
import type { DeviceAddress } from "../../wiring/open-device.ts";
import { agrees } from "../agrees.ts";
import { type Command, EXIT, type ExitCode, type Invocation } from "../command.ts";
import { askServiceOrStore } from "../service-access.ts";
import { driveSafe } from "./safe-outputs.ts";

export const decommission: Command = {
  name: "decommission",
  arguments: [{ name: "device", about: "the device's id", optional: true }],
  summary: "end a device or the gateway: stop it, clear every retained topic it ever left, see that they are gone",
  options: [
    { flags: "--gateway", about: "all of this gateway, and its devices" },
    { flags: "--of <gateway>", about: "another gateway, which is gone: by what is retained, from anywhere" },
    { flags: "--dry-run", about: "only say what would be cleared" },
    { flags: "--discard", about: "drop its readings that wait for delivery, instead of delivering them" },
    { flags: "--yes", about: "do not ask" },
    { flags: "--revive", about: "let what was decommissioned come back" },
  ],
  printsData: true,
  example: "fieldpost decommission climate --dry-run",
  async run(invocation) {
    const { args, io, options } = invocation;
    if (typeof options.of === "string") return await endOther(invocation, options.of);
    const id = options.gateway === true ? GATEWAY : args[0];
    if (id === undefined || (args[0] !== undefined && id === GATEWAY)) {
      io.err("error: name a device, or the whole gateway with --gateway\n");
      return EXIT.usage;
    }
    return options.revive === true ? await revive(invocation, id) : await end(invocation, id);
  },
};

async function end(invocation: Invocation, id: string): Promise<ExitCode> {
  const { io, json, options } = invocation;
  const discard = options.discard === true;
  if (needsConsent(invocation)) {
    const plan = await decommissioned(invocation, id, true);
    if (!(await agrees(`${renderResult(plan, discard)}End ${nameOf(id)} for good?`))) return EXIT.unwell;
  }
  const result = await decommissioned(invocation, id, options.dryRun === true);
  io.out(json ? `${JSON.stringify(result)}\n` : renderResult(result, discard));
  return EXIT.ok;
}

async function endOther(invocation: Invocation, gateway: string): Promise<ExitCode> {
  const { io, json, options } = invocation;
  const asked = async (dryRun: boolean) => {
    const question = { gateway, dry_run: dryRun };
    const listening = (withinMs: number) =>
      io.err(`${gateway} is said to be online: listening ${withinMs / 1000} s for a sign of life\n`);
    return await askServiceOrStore(invocation, "decommission_of", question, (config) =>
      auditAtRest(config, atRestDeps(invocation), (audits) => audits.endOther(gateway, dryRun, listening)),
    );
  };
  if (needsConsent(invocation)) {
    const plan = await asked(true);
    if (!(await agrees(`${renderOther(plan)}End the gateway ${gateway} for good?`))) return EXIT.unwell;
  }
  const result = await asked(options.dryRun === true);
  io.out(json ? `${JSON.stringify(result)}\n` : renderOther(result));
  return EXIT.ok;
}

function renderOther({ id, outcome, topics, steps, complete }: DeadResult): string {
  const list = topics.map((topic) => `  ${topic}\n`).join("");
  const unsure = complete ? "" : "this broker does not answer wildcards: only what its `info` names was looked for\n";
  if (outcome === "would") return `would clear:\n${list}${unsure}`;
  const done = steps.map(({ title }) => `done     ${title}\n`).join("");
  return `${done}cleared and seen to be gone:\n${list}${unsure}the gateway ${id} is decommissioned.\n`;
}

function needsConsent({ json, options }: Invocation): boolean {
  return options.dryRun !== true && options.yes !== true && !json && process.stdin.isTTY;
}

async function decommissioned(invocation: Invocation, id: string, dryRun: boolean): Promise<DecommissionResult> {
  const discard = invocation.options.discard === true;
  const question = { device: id, dry_run: dryRun, discard };
  return await askServiceOrStore(invocation, "decommission", question, (config) =>
    decommissionAtRest(config, id, { dryRun, discard }, { ...atRestDeps(invocation), makeSafe: makeSafe(invocation) }),
  );
}

async function revive(invocation: Invocation, id: string): Promise<ExitCode> {
  await askServiceOrStore(invocation, "revive", { device: id }, (config) =>
    reviveAtRest(config, id, atRestDeps(invocation)),
  );
  const answer = { device: id, revived: true };
  invocation.io.out(invocation.json ? `${JSON.stringify(answer)}\n` : `${nameOf(id)} may come back.\n`);
  return EXIT.ok;
}

function atRestDeps({ io }: Invocation) {
  return { clock: linuxClock(), random: Math.random, uid: io.uid, signal: io.signal };
}

function makeSafe({ io }: Invocation) {
  return async (outputs: readonly DeviceAddress[]) => {
    const clock = linuxClock();
    await using hardware = linuxHardware(clock);
    await driveSafe(outputs, hardware, clock, { out: () => undefined, err: io.err });
  };
}

function nameOf(id: string): string {
  return id === GATEWAY ? "the gateway" : id;
}

function renderResult(result: DecommissionResult, discard: boolean): string {
  const { id, outcome, topics, left, elsewhere, waiting, steps, reason } = result;
  const list = (of: readonly string[]) => of.map((topic) => `  ${topic}\n`).join("");
  const others = elsewhere.map(({ topic, broker }) => `${topic} at ${broker}`);
  const fate = discard && outcome === "would" ? "would be dropped" : "are still delivered";
  const backlog = waiting > 0 ? `${waiting} of its readings wait, and ${fate}\n` : "";
  const rest = `${backlog}${others.length > 0 ? `cleared when that broker is reached again:\n${list(others)}` : ""}`;
  if (outcome === "would") {
    return `${topics.length > 0 ? `would clear:\n${list(topics)}` : `nothing retained is left of ${nameOf(id)}\n`}${rest}`;
  }
  const done = steps.map(({ title, outcome: was }) => `${was === "done" ? "done   " : "already"}  ${title}\n`).join("");
  const cleared = topics.length > 0 ? `cleared and seen to be gone:\n${list(topics)}` : "";
  const end =
    outcome === "queued"
      ? `queued, and finished when the broker is there: ${reason}\nto be cleared then:\n${list(left)}`
      : `${nameOf(id)} is decommissioned. ${id === GATEWAY ? "" : "Take it out of the configuration: "}\`--revive\` lets it come back.\n`;
  return `${done}${cleared}${rest}${end}`;
}
