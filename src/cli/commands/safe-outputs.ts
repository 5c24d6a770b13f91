import { loadConfig } from "../../config/load.ts";
import type { Clock } from "../../core/clock.ts";
import { messageOf } from "../../core/errors.ts";
import type { Value } from "../../core/reading.ts";
import { linuxClock } from "../../hardware/clock.ts";
import type { Hardware } from "../../hardware/hardware.ts";
import { linuxHardware } from "../../hardware/linux/hardware.ts";
import { noMemory } from "../../wiring/driver-memory.ts";
import { isSafeAtStop } from "../../wiring/last-will.ts";
import { type DeviceAddress, openDevice } from "../../wiring/open-device.ts";
import { type Command, EXIT, type ExitCode, type Io } from "../command.ts";
import { isServiceRunning } from "../service-access.ts";

export const safeOutputs: Command = {
  name: "safe-outputs",
  summary: "put every output into its safe state, while the service is stopped: the unit runs it after a crash",
  example: "fieldpost safe-outputs",
  async run(invocation) {
    const { io, configFile } = invocation;
    const { config } = await loadConfig(configFile, { missingFiles: "warn", env: io.env });
    const outputs = config.devices.filter(isSafeAtStop);
    if (outputs.length === 0) return EXIT.ok;
    if (await isServiceRunning(invocation)) {
      io.err("error: the service is running and drives its outputs itself\n  stop it, or send a command\n");
      return EXIT.unreachable;
    }
    const clock = linuxClock();
    await using hardware = linuxHardware(clock);
    return await driveSafe(outputs, hardware, clock, io);
  },
};

/** All that can be: one that fails does not keep the others on. Opening drives the safe state, and closing holds it. */
export async function driveSafe(
  outputs: readonly DeviceAddress[],
  hardware: Hardware,
  clock: Clock,
  io: Pick<Io, "out" | "err">,
): Promise<ExitCode> {
  let code: ExitCode = EXIT.ok;
  for (const device of outputs) {
    try {
      const safe = { ...device, options: { ...device.options, at_start: "safe" } };
      const output = await openDevice(safe, hardware, { clock, memory: noMemory });
      const { values } = await output.read(new AbortController().signal).finally(() => output.close?.());
      io.out(`${device.id} is ${Object.values(values).map(inWords).join(", ")}\n`);
    } catch (error) {
      io.err(`error: ${device.id}: ${messageOf(error)}\n`);
      code = EXIT.unreachable;
    }
  }
  return code;
}

function inWords(value: Value): string {
  if (typeof value === "boolean") return value ? "on" : "off";
  return typeof value === "number" ? `at ${value} %` : value;
}
