import type { Clock } from "../../core/clock.ts";
import { GatewayError } from "../../core/errors.ts";
import type { LinuxFiles } from "./files.ts";

/** udev hands new files to the group gpio some tens of milliseconds after the export; under load it takes longer. */
const READY_WITHIN_MS = 3000;
const LOOK_EVERY_MS = 20;

/** Waits until all of these can be written. Rejects with ACCESS_DENIED, which names `what` and the file that cannot. */
export async function untilWritable(
  files: LinuxFiles,
  clock: Pick<Clock, "monoMs" | "sleep">,
  needed: readonly string[],
  what: string,
): Promise<void> {
  const untilMs = clock.monoMs() + READY_WITHIN_MS;
  for (;;) {
    const ready = await Promise.all(needed.map((path) => files.writable(path)));
    if (!ready.includes(false)) return;
    if (clock.monoMs() >= untilMs) {
      const missing = needed[ready.indexOf(false)];
      throw new GatewayError("ACCESS_DENIED", `${what}: ${missing} is not writable after ${READY_WITHIN_MS} ms`);
    }
    await clock.sleep(LOOK_EVERY_MS);
  }
}
