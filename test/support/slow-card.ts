import { spawnSync } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Compiles the library that makes a process's disk slow or failing; undefined where there is no compiler. */
export function compileSlowCard(directory = mkdtempSync(join(tmpdir(), "fieldpost-slow-card-"))): string | undefined {
  const library = join(directory, "slow-card.so");
  const source = join(process.cwd(), "test/support/slow-card.c");
  const { status } = spawnSync("cc", ["-shared", "-fPIC", "-o", library, source, "-ldl"]);
  return status === 0 ? library : undefined;
}
