import { parentPort, workerData } from "node:worker_threads";
import { loadConfig } from "../config/load.ts";
import { isConfigError } from "../config/problems.ts";
import type { BrokerConfigFile, BrokerConfigReply } from "./broker-config.ts";

parentPort?.postMessage(await read(workerData));

async function read({ file, env }: BrokerConfigFile): Promise<BrokerConfigReply> {
  try {
    const { config, notices } = await loadConfig(file, { missingFiles: "error", env });
    return { broker: config.broker, logLevel: config.log.level, storePath: config.store.path, notices };
  } catch (error) {
    if (!isConfigError(error)) throw error;
    return { problems: error.problems };
  }
}
