import type { Board } from "../core/board.ts";
import type { Command } from "../core/command.ts";
import { GatewayError } from "../core/errors.ts";
import type { Log } from "../core/log.ts";
import type { DeviceProcessing } from "./device-processing.ts";

/** A channel's offset hears commands as the channel of this ending. */
const ENDING = "_offset";

export interface CalibrationParts {
  readonly board: Board;
  readonly log: Log;
  readonly processing: DeviceProcessing | undefined;
}

/** Whose offset is meant; undefined where it is none that can be changed. */
export function offsetChannel(channel: string | undefined, processing: DeviceProcessing | undefined) {
  const key = channel?.endsWith(ENDING) ? channel.slice(0, -ENDING.length) : undefined;
  return key !== undefined && processing?.offsetLimit(key) !== undefined ? key : undefined;
}

/** Sets a channel's offset, and shows it in the device's `config`. Throws COMMAND_REFUSED. */
export function calibrate(device: string, channel: string, command: Command, parts: CalibrationParts): void {
  const { board, log, processing } = parts;
  const limit = processing?.offsetLimit(channel);
  if (processing === undefined || limit === undefined) throw new Error(`${channel} has no offset to change`);
  const value = processing.setOffset(channel, wanted(command, limit));
  const info = board.get(device)?.info;
  if (info) {
    const shown = info.channels.map((one) =>
      one.key === channel && one.offset ? { ...one, offset: { ...one.offset, value } } : one,
    );
    board.setInfo({ ...info, channels: shown });
  }
  log.part(device).info("calibrated", { channel, offset: value });
}

function wanted({ value, reset, forMs }: Command, limit: number): number | undefined {
  if (reset) return undefined;
  if (value !== undefined && forMs === undefined && Math.abs(value) <= limit) return value + 0;
  throw new GatewayError(
    "COMMAND_REFUSED",
    `an offset takes a number from -${limit} to ${limit}, or \`reset\`, and no time`,
  );
}
