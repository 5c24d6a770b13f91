import { createHash } from "node:crypto";
import { lstatSync, mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { GatewayError, messageOf } from "../core/errors.ts";

/** What systemd's `RuntimeDirectory=fieldpost` makes. */
const SERVICE_RUNTIME_DIR = "/run/fieldpost";

export interface Whereabouts {
  readonly runtimeDirectory?: string | undefined;
  readonly uid: number;
  readonly storePath: string;
}

/**
 * Where the staging file and the sockets live: memory that outlives the process but not the machine. systemd's runtime
 * directory, else one in /dev/shm that is this user's and this store's alone.
 */
export function runtimeDir({ runtimeDirectory, uid, storePath }: Whereabouts): string {
  if (runtimeDirectory) return runtimeDirectory;
  const hash = createHash("sha256").update(resolve(storePath)).digest("hex").slice(0, 12);
  return `/dev/shm/fieldpost-${uid}-${hash}`;
}

/** Creates it, or makes sure that the one which is there is ours: /dev/shm is everybody's. Throws RUNTIME_DIRECTORY. */
export function ensureRuntimeDir(path: string, uid: number): void {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw new GatewayError("RUNTIME_DIRECTORY", `${path} cannot be made: ${messageOf(cause)}`, { cause });
  }
  const found = lstatSync(path);
  const writableByOthers = (found.mode & 0o002) !== 0;
  if (!found.isDirectory() || found.uid !== uid || writableByOthers) {
    throw new GatewayError("RUNTIME_DIRECTORY", `${path} exists and is not a private directory of this user`);
  }
}

export function controlSocket(directory: string): string {
  return join(directory, "control.sock");
}

/** What makes the outputs safe when the service is dead: `systemd/safe-outputs` reads it. */
export function lastWillFile(directory: string): string {
  return join(directory, "last-will");
}

/** Where a running service's socket may be, as seen by a command. */
export function controlSocketCandidates(where: Whereabouts): string[] {
  const directories = [runtimeDir(where), runtimeDir({ ...where, runtimeDirectory: undefined }), SERVICE_RUNTIME_DIR];
  return [...new Set(directories)].map(controlSocket);
}
