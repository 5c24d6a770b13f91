import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run, virtualPi } from "./guest.ts";

const project = join(import.meta.dirname, "../..");

/** Where the built project is in the guest: what a user would have unpacked. */
export const TREE = "/home/pi/fieldpost";

/** A fresh guest with the built project in it, for all the system tests; VPI_KEEP=1 leaves it running. */
export async function setup(): Promise<void> {
  process.env.VPI_NAME ??= `system-tests-${process.pid}`;
  await must("build");
  await must("boot", "--fresh");
  const tree = mkdtempSync(join(tmpdir(), "fieldpost-tree-"));
  try {
    stage(tree);
    await must("push", tree, TREE);
    // On the disk before a test cuts the power.
    await run(`chown -R pi: ${TREE} && sync`);
  } finally {
    rmSync(tree, { recursive: true });
  }
}

export async function teardown(): Promise<void> {
  if (!process.env.VPI_KEEP) await must("discard");
}

/** The built project with the packages it runs on, and no others. */
function stage(tree: string): void {
  const carried = ["dist", "config", "scripts", "systemd", "package.json", "package-lock.json", ".npmrc"];
  for (const item of carried.filter((name) => existsSync(join(project, name)))) {
    cpSync(join(project, item), join(tree, item), { recursive: true });
  }
  // With the dot: node_modules may be a link.
  execFileSync("cp", ["-a", `${join(project, "node_modules")}/.`, join(tree, "node_modules")]);
  const offline = ["--offline", "--ignore-scripts", "--no-fund", "--no-audit", "--loglevel=error"];
  execFileSync("npm", ["prune", "--omit=dev", ...offline], { cwd: tree, stdio: "inherit" });
}

async function must(...command: string[]): Promise<void> {
  const { code, stderr } = await virtualPi(command);
  process.stderr.write(stderr);
  if (code !== 0) throw new Error(`virtual-pi ${command.join(" ")} failed: exit ${code}`);
}
