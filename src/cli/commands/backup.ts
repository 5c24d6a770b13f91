import { chmod, copyFile, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { loadConfig } from "../../config/load.ts";
import { isGatewayError } from "../../core/errors.ts";
import { backUpStore } from "../../store/database/backup.ts";
import { type Command, EXIT } from "../command.ts";
import { askRunningService } from "../service-access.ts";
import { packTar } from "../tar.ts";
import { version } from "../version.ts";

/** Names in the archive. */
export const BACKUP = {
  config: "fieldpost.yaml",
  secrets: "secrets.yaml",
  store: "store.db",
  about: "backup.json",
} as const;

export const backup: Command = {
  name: "backup",
  arguments: [{ name: "file", about: "the archive to write (tar.gz); it has the passwords of secrets.yaml in it" }],
  summary: "write configuration, secrets and store to one file, also while the service runs",
  printsData: true,
  example: "fieldpost backup /media/usb/fieldpost.tar.gz",
  async run(invocation) {
    const target = resolve(invocation.args[0] ?? "");
    const { config } = await loadConfig(invocation.configFile, { missingFiles: "warn", env: invocation.io.env });
    await flushed(() => askRunningService(invocation, "flush", {}));
    // Beside the target, where there has to be room for it anyway.
    const directory = await mkdtemp(join(dirname(target), ".fieldpost-backup-"));
    try {
      const secrets = join(dirname(invocation.configFile), "secrets.yaml");
      await copyFile(invocation.configFile, join(directory, BACKUP.config));
      const hasSecrets = await copyFile(secrets, join(directory, BACKUP.secrets)).then(
        () => true,
        () => false,
      );
      await backUpStore(config.store.path, join(directory, BACKUP.store));
      const about = { version: version(), config: basename(invocation.configFile), created: new Date().toISOString() };
      await writeFile(join(directory, BACKUP.about), `${JSON.stringify(about)}\n`);
      const packed = `${directory}.tar.gz`;
      await packTar(directory, packed);
      await chmod(packed, 0o600);
      await rename(packed, target);
      const contents = [BACKUP.config, ...(hasSecrets ? [BACKUP.secrets] : []), BACKUP.store];
      const result = { file: target, contents };
      invocation.io.out(invocation.json ? `${JSON.stringify(result)}\n` : `${target}: ${contents.join(", ")}\n`);
      return EXIT.ok;
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  },
};

/** What a running service has only in memory belongs to the backup; where it cannot write, the disk is as it is. */
async function flushed(ask: () => Promise<unknown>): Promise<void> {
  try {
    await ask();
  } catch (error) {
    if (!isGatewayError(error, "SERVICE_UNREACHABLE", "ACCESS_DENIED", "STORE_IO", "STORE_FULL")) throw error;
  }
}
