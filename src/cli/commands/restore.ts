import { copyFile, mkdtemp, rename, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { loadConfig } from "../../config/load.ts";
import { GatewayError, isGatewayError } from "../../core/errors.ts";
import { runtimeDir } from "../../service/runtime-dir.ts";
import { installStore } from "../../store/database/backup.ts";
import { type Command, EXIT, type Invocation } from "../command.ts";
import { askRunningService } from "../service-access.ts";
import { unpackTar } from "../tar.ts";
import { BACKUP } from "./backup.ts";

export const restore: Command = {
  name: "restore",
  arguments: [{ name: "file", about: "an archive of `fieldpost backup`" }],
  summary: "put a backup in the place of configuration, secrets and store, while the service is stopped",
  printsData: true,
  example: "fieldpost restore /media/usb/fieldpost.tar.gz",
  async run(invocation) {
    const [file = ""] = invocation.args;
    const directory = await mkdtemp(join(tmpdir(), "fieldpost-restore-"));
    try {
      await unpackTar(file, directory);
      const replaced = await restoreFrom(directory, file, invocation);
      const text = replaced.map((path) => `what was there is now ${path}\n`).join("");
      invocation.io.out(
        invocation.json ? `${JSON.stringify({ restored: file, replaced })}\n` : `restored ${file}\n${text}`,
      );
      return EXIT.ok;
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  },
};

/** The store first: it is what may refuse. Returns where that is now which was there. */
async function restoreFrom(directory: string, file: string, invocation: Invocation): Promise<string[]> {
  const { io, configFile } = invocation;
  const from = (name: string) => join(directory, name);
  if (!(await exists(from(BACKUP.config))) || !(await exists(from(BACKUP.store)))) {
    throw new GatewayError("BACKUP_FAILED", `${file} is no backup of fieldpost`);
  }
  const { config } = await loadConfig(from(BACKUP.config), { missingFiles: "warn", env: io.env });
  if (await exists(configFile)) await refuseWhileRunning(() => askRunningService(invocation, "status", {}));
  const wallMs = Date.now();
  const aside = await installStore(config.store.path, from(BACKUP.store), wallMs);
  // What was staged belongs to the store that was there.
  const where = { runtimeDirectory: io.env.RUNTIME_DIRECTORY, uid: io.uid, storePath: config.store.path };
  await rm(join(runtimeDir(where), "staging"), { recursive: true, force: true });
  const kept: string[] = [];
  for (const [name, target] of [
    [BACKUP.config, configFile],
    [BACKUP.secrets, join(dirname(configFile), BACKUP.secrets)],
  ] as const) {
    if (await exists(from(name))) kept.push(...(await replaceFile(from(name), target, wallMs)));
  }
  return [...(aside === undefined ? [] : [aside]), ...kept];
}

async function refuseWhileRunning(ask: () => Promise<unknown>): Promise<void> {
  try {
    await ask();
  } catch (error) {
    if (isGatewayError(error, "SERVICE_UNREACHABLE")) return;
    throw error;
  }
  throw new GatewayError("STORE_LOCKED", "the service is running");
}

async function replaceFile(from: string, target: string, wallMs: number): Promise<string[]> {
  const stamp = new Date(wallMs).toISOString().replace(/[-:]|\.\d+/g, "");
  const aside = `${target}.before-restore-${stamp}`;
  const wasThere = await exists(target);
  if (wasThere) await rename(target, aside);
  await copyFile(from, target);
  return wasThere ? [aside] : [];
}

async function exists(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  );
}
