import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { errnoName, GatewayError, messageOf } from "../core/errors.ts";

const run = promisify(execFile);

/** Everything in a directory, compressed, for its owner's eyes only. */
export async function packTar(directory: string, file: string): Promise<void> {
  await tar(["--create", "--gzip", "--mode=0600", "--file", file, "--directory", directory, "."], file);
}

export async function unpackTar(file: string, directory: string): Promise<void> {
  await tar(["--extract", "--gzip", "--no-same-owner", "--file", file, "--directory", directory], file);
}

async function tar(args: readonly string[], file: string): Promise<void> {
  try {
    await run("tar", args);
  } catch (cause) {
    if (errnoName(cause) === "ENOENT") throw new GatewayError("TOOL_MISSING", "there is no tar", { cause });
    throw new GatewayError("BACKUP_FAILED", `${file}: ${messageOf(cause).split("\n").slice(1).join(" ").trim()}`, {
      cause,
    });
  }
}
