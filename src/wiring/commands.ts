import type { Clock } from "../core/clock.ts";
import { GatewayError } from "../core/errors.ts";
import type { CommandHandler } from "../uplink/requests/commands.ts";
import type { Roster } from "./roster.ts";

export interface CommandParts {
  readonly roster: Pick<Roster, "command">;
  readonly clock: Pick<Clock, "syncState" | "wallMs">;
  readonly maxAgeMs: number;
}

/**
 * Hands commands to the devices, but for those that say that they are old. By a clock that is not set their age cannot be
 * told; that the broker keeps none for us has to do then.
 */
export function commandHandler({ roster, clock, maxAgeMs }: CommandParts): CommandHandler {
  return async (device, channel, command) => {
    const { atMs } = command;
    const ageMs = atMs === undefined || clock.syncState() !== "synced" ? 0 : clock.wallMs() - atMs;
    if (ageMs > maxAgeMs) {
      const limit = `${maxAgeMs / 1000} s (\`mqtt.command_max_age\`)`;
      throw new GatewayError(
        "COMMAND_REFUSED",
        `it was given ${Math.round(ageMs / 1000)} s ago; ${limit} are the most`,
      );
    }
    await roster.command(device, channel, command);
  };
}
