import { Worker } from "node:worker_threads";
import { ConfigError, type Notice, type Problem } from "../config/problems.ts";
import type { Config } from "../config/schema/config.ts";
import { workerFile } from "../sqlite/worker-host.ts";

/** What the broker alone needs of a configuration. */
export interface BrokerConfig {
  readonly broker: Config["broker"];
  readonly logLevel: Config["log"]["level"];
  readonly storePath: string;
  readonly notices: readonly Notice[];
}

export interface BrokerConfigFile {
  readonly file: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

export type BrokerConfigReply = BrokerConfig | { readonly problems: readonly Problem[] };

/**
 * As `loadConfig`, in a thread that ends with it: zod, YAML and the drivers' schemas take 20 MB, which a broker would
 * otherwise hold for as long as it runs. Rejects with ConfigError.
 */
export async function readBrokerConfig(asked: BrokerConfigFile): Promise<BrokerConfig> {
  const { file, env } = asked;
  const workerData: BrokerConfigFile = { file, env: { ...env } };
  const worker = new Worker(workerFile(import.meta.url, "broker-config-worker"), { workerData });
  const reply = await new Promise<BrokerConfigReply>((resolve, reject) => {
    worker.once("message", resolve).once("error", reject);
  });
  await worker.terminate();
  if ("problems" in reply) throw new ConfigError(reply.problems);
  return reply;
}
