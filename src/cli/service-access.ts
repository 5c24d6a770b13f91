import { loadConfig } from "../config/load.ts";
import { askService } from "../service/control-client.ts";
import { controlSocketCandidates } from "../service/runtime-dir.ts";
import type { Invocation } from "./command.ts";

/** Asks the service that runs on the configuration's store. SERVICE_UNREACHABLE when none does. */
export async function askRunningService(invocation: Invocation, name: string, body: unknown): Promise<unknown> {
  const { config } = await loadConfig(invocation.configFile, { missingFiles: "warn", env: invocation.io.env });
  const storePath = config.store.path;
  const { env, uid } = invocation.io;
  const sockets = controlSocketCandidates({ runtimeDirectory: env.RUNTIME_DIRECTORY, uid, storePath });
  return await askService(sockets, storePath, name, body);
}
