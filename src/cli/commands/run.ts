import type { AgentDeps } from "../../agent.ts";
import { loadConfig } from "../../config/load.ts";
import { placeOf } from "../../config/problems.ts";
import type { Config } from "../../config/schema/config.ts";
import { linuxClock } from "../../hardware/clock.ts";
import { hostFacts } from "../../service/host-facts.ts";
import { createLog, logStyle } from "../../service/log.ts";
import { ensureRuntimeDir, runtimeDir } from "../../service/runtime-dir.ts";
import { runInSuccession } from "../../wiring/lifecycle/succession.ts";
import { finishedTombstones } from "../../wiring/lifecycle/tombstones.ts";
import { type Command, EXIT, type Invocation } from "../command.ts";
import { version } from "../version.ts";

export const run: Command = {
  name: "run",
  summary: "run the gateway until SIGTERM or Ctrl-C; SIGHUP reloads the configuration",
  example: "fieldpost run --config /etc/fieldpost/fieldpost.yaml",
  async run(invocation) {
    const { io } = invocation;
    const log = createLog(logStyle(io.env), "info", (line) => io.err(line));
    const load = async (): Promise<Config> => {
      const { config, notices } = await loadConfig(invocation.configFile, {
        missingFiles: "error",
        env: io.env,
        decommissioned: finishedTombstones,
      });
      for (const notice of notices) log.warn(notice.message, { at: placeOf(notice) });
      log.setLevel(config.log.level);
      return config;
    };
    const config = await load();
    // Loaded here alone: the MQTT client and the servers take longer to load than most commands take to run.
    const { runAgent } = await import("../../agent.ts");
    const runOnce = async (config: Config, up: () => void) => {
      if (io.signal.aborted) return undefined;
      const deps = agentDeps(invocation, config, load, log);
      const ready: AgentDeps["ready"] = ({ gateway, broker }) => {
        up();
        io.out(`fieldpost is running: gateway ${gateway}, broker ${broker.join(", ")}\n`);
      };
      return await runAgent(config, { ...deps, ready }, io.signal);
    };
    await runInSuccession(config, runOnce, log);
    return EXIT.ok;
  },
};

function agentDeps({ io }: Invocation, config: Config, load: () => Promise<Config>, log: ReturnType<typeof createLog>) {
  const where = { runtimeDirectory: io.env.RUNTIME_DIRECTORY, uid: io.uid, storePath: config.store.path };
  const runtimeDirectory = runtimeDir(where);
  ensureRuntimeDir(runtimeDirectory, io.uid);
  return {
    clock: linuxClock(),
    random: Math.random,
    log,
    version: version(),
    host: hostFacts(),
    runtimeDirectory,
    loadConfig: load,
    onReload: io.onReload,
  };
}
