import type { DeviceHealth } from "../core/device.ts";
import { GatewayError, isAbsence, messageOf } from "../core/errors.ts";

/** A device that has not been looked at yet is not online: nothing dead looks alive. */
export function starting(monoMs: number): DeviceHealth {
  return { state: "starting", sinceMonoMs: monoMs, online: false, reads: 0, errors: 0 };
}

export function afterSuccess(health: DeviceHealth, monoMs: number): DeviceHealth {
  return {
    state: "ok",
    sinceMonoMs: health.state === "ok" ? health.sinceMonoMs : monoMs,
    online: true,
    reads: health.reads + 1,
    errors: health.errors,
  };
}

/**
 * A read failed. `absent` is for a device that could not be opened because nothing (or something else) is there; it is
 * offline at once. A failing one stays online until its newest good value is older than `offlineAfterMs`.
 */
export function afterFailure(health: DeviceHealth, error: unknown, failure: Failure): DeviceHealth {
  const state = failure.opening && isAbsence(error) ? "absent" : "failing";
  const fresh =
    failure.lastGoodMonoMs !== undefined && failure.monoMs - failure.lastGoodMonoMs < failure.offlineAfterMs;
  return {
    state,
    code: error instanceof GatewayError ? error.code : "INTERNAL",
    reason: messageOf(error),
    sinceMonoMs: health.state === state ? health.sinceMonoMs : failure.monoMs,
    online: state === "failing" && fresh,
    reads: health.reads + (failure.opening ? 0 : 1),
    errors: health.errors + 1,
  };
}

export interface Failure {
  readonly monoMs: number;
  /** The error came from opening the device, not from reading it. */
  readonly opening: boolean;
  readonly lastGoodMonoMs: number | undefined;
  readonly offlineAfterMs: number;
}
