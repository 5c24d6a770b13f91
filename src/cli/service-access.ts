import { loadConfig } from "../config/load.ts";
import type { Config } from "../config/schema/config.ts";
import { isGatewayError } from "../core/errors.ts";
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

/** Is a service running on the store of this configuration? */
export async function isServiceRunning(invocation: Invocation): Promise<boolean> {
  try {
    await askRunningService(invocation, "status", {});
    return true;
  } catch (error) {
    if (isGatewayError(error, "SERVICE_UNREACHABLE")) return false;
    throw error;
  }
}

/** As `askRunningService`; where no service runs, `atRest` does it on the store itself. */
export async function askServiceOrStore<T>(
  invocation: Invocation,
  name: string,
  body: unknown,
  atRest: (config: Config) => Promise<T>,
): Promise<T> {
  try {
    return (await askRunningService(invocation, name, body)) as T;
  } catch (error) {
    if (!isGatewayError(error, "SERVICE_UNREACHABLE")) throw error;
  }
  const { config } = await loadConfig(invocation.configFile, { missingFiles: "error", env: invocation.io.env });
  return await atRest(config);
}
