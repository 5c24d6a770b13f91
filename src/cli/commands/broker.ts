import type { Broker } from "../../broker/broker.ts";
import { placeOf } from "../../config/problems.ts";
import { isGatewayError } from "../../core/errors.ts";
import type { Log } from "../../core/log.ts";
import { linuxClock } from "../../hardware/clock.ts";
import { createLog, logStyle } from "../../service/log.ts";
import { ensureRuntimeDir, runtimeDir } from "../../service/runtime-dir.ts";
import { readBrokerConfig } from "../../wiring/broker-config.ts";
import { brokerOptions, brokerPersistence, shownAddresses } from "../../wiring/options.ts";
import { type Command, EXIT } from "../command.ts";

export const broker: Command = {
  name: "broker",
  summary: "run the bundled broker alone, from the `broker` section of the configuration",
  example: "fieldpost broker --config broker.yaml",
  async run({ configFile, io }) {
    // Loaded here alone, so that no other command waits for the servers.
    const importing = import("../../broker/broker.ts");
    const { broker, logLevel, storePath, notices } = await readBrokerConfig({ file: configFile, env: io.env });
    const log = createLog(logStyle(io.env), logLevel, (line) => io.err(line));
    for (const notice of notices) log.warn(notice.message, { at: placeOf(notice) });
    const directory = runtimeDir({ runtimeDirectory: io.env.RUNTIME_DIRECTORY, uid: io.uid, storePath });
    if (broker.persistence) ensureRuntimeDir(directory, io.uid);
    const options = { ...brokerOptions(broker), ...brokerPersistence(broker, storePath, directory, 0) };
    const { openBroker } = await importing;
    await using opened = await openBroker(options, { clock: linuxClock(), log });
    io.out(`fieldpost broker is running: ${shownAddresses(opened.addresses).join(", ")}\n`);
    const stopListening = io.onReload(() => void reloadFiles(opened, log));
    await new Promise<void>((resolve) => {
      if (io.signal.aborted) resolve();
      else io.signal.addEventListener("abort", () => resolve(), { once: true });
    });
    stopListening();
    return EXIT.ok;
  },
};

/** Passwords, access rules and certificates; what the configuration itself says takes a new start. */
async function reloadFiles(opened: Broker, log: Log): Promise<void> {
  try {
    await opened.reload();
    log.info("passwords, access rules and certificates reloaded");
  } catch (error) {
    if (!isGatewayError(error)) throw error;
    log.error("reload failed: what was loaded before stays", { reason: error.message });
  }
}
