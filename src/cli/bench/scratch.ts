import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { GatewayError, messageOf } from "../../core/errors.ts";

/** Directories of a measurement's own, gone afterwards: one on the disk that is measured, one in memory. */
export interface Scratch extends Disposable {
  readonly disk: string;
  readonly memory: string;
}

/** On the file system that holds `path`, or will. Throws STORE_IO where nothing can be written there. */
export function scratchBeside(path: string): Scratch {
  let existing = path;
  while (!existsSync(existing)) existing = dirname(existing);
  const made: string[] = [];
  const make = (parent: string) => {
    const directory = mkdtempSync(join(parent, "fieldpost-bench-"));
    made.push(directory);
    return directory;
  };
  const remove = () => {
    for (const directory of made) rmSync(directory, { recursive: true, force: true });
  };
  try {
    return { disk: make(existing), memory: make("/dev/shm"), [Symbol.dispose]: remove };
  } catch (cause) {
    remove();
    throw new GatewayError("STORE_IO", `no measurement in ${existing}: ${messageOf(cause)}`, { cause });
  }
}
