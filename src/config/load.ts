import { dirname, join } from "node:path";
import type { Driver } from "../drivers/driver.ts";
import { drivers as registry } from "../drivers/registry.ts";
import { readBoundedText } from "./bounded-file.ts";
import { tombstoneFindings } from "./checks/tombstones.ts";
import { sorted } from "./locate.ts";
import { faultOfFile } from "./named-files.ts";
import { accepted, type Examined, examineConfig } from "./parse.ts";
import { ConfigError, type Notice, type Problem } from "./problems.ts";
import type { Config } from "./schema/config.ts";
import { readCredentials, readSecretsFile } from "./secrets-file.ts";

export interface LoadOptions {
  /** What a certificate or password file that is missing amounts to. */
  readonly missingFiles: "warn" | "error";
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly drivers?: readonly Driver[];
  /** What was decommissioned and may not be in the configuration, by the store's path. */
  decommissioned?(config: Config): Promise<ReadonlyMap<string, number>>;
}

export interface Loaded {
  readonly config: Config;
  /** Warnings, and what is not active yet. */
  readonly notices: readonly Notice[];
}

/**
 * Reads a configuration with its secrets (`secrets.yaml` beside it, systemd credentials, the environment). Rejects with
 * ConfigError, which has every mistake with its place.
 */
export async function loadConfig(file: string, options: LoadOptions): Promise<Loaded> {
  const read = await readBoundedText(file);
  if (!read.ok) throw new ConfigError([unreadable(file, read)]);
  const secretsFile = join(dirname(file), "secrets.yaml");
  const secrets = await readSecretsFile(secretsFile);
  const credentials = await readCredentials(options.env.CREDENTIALS_DIRECTORY);

  const examined = examineConfig(read.text, {
    file,
    drivers: options.drivers ?? registry,
    env: options.env,
    credentials,
    secrets: secrets.secrets,
    secretsFrom: secrets.exists ? secretsFile : `${secretsFile} (there is no such file)`,
  });
  const unusable = await fileProblems(examined, options.missingFiles === "error" ? "error" : "warning");
  const gone = examined.config && options.decommissioned ? await options.decommissioned(examined.config) : new Map();
  const revived = tombstoneFindings(examined.config?.devices ?? [], gone).map((finding) => examined.locate(finding));
  return accepted({
    config: examined.config,
    problems: sorted([...examined.problems, ...unusable, ...secrets.problems, ...revived]),
  });
}

async function fileProblems({ fileReferences }: Examined, severity: "error" | "warning"): Promise<Problem[]> {
  const problems = await Promise.all(
    fileReferences.map(async ({ file, key, problem }) => {
      const fault = await faultOfFile(file, key);
      return fault ? [problem(fault.fatal ? severity : "warning", fault.message)] : [];
    }),
  );
  return problems.flat();
}

function unreadable(
  file: string,
  { message, missing, line, column }: { message: string; missing: boolean; line?: number; column?: number },
): Problem {
  const remedy = missing ? ": `--config FILE` names another, and config/fieldpost.yaml is one to begin with" : "";
  return {
    severity: "error",
    message: message + remedy,
    file,
    ...(line !== undefined && { line }),
    ...(column !== undefined && { column }),
  };
}
