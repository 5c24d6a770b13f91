import type { Clock } from "../../core/clock.ts";
import { GatewayError } from "../../core/errors.ts";
import type { LinuxFiles } from "./files.ts";

/**
 * udev hands new files to the group gpio some tens of milliseconds after the export. Its rule starts a shell and two
 * programs: on a machine that is busy, or boots, that takes seconds, while which udev shows that it has work.
 */
const READY_WITHIN_MS = 3000;
const BUSY_AT_MOST_MS = 30_000;
const UDEV = "/run/udev";
const UDEV_HAS_WORK = "queue";
const LOOK_EVERY_MS = 20;

/** Waits until all of these can be written. Rejects with ACCESS_DENIED, which names `what` and the file that cannot. */
export async function untilWritable(
  files: LinuxFiles,
  clock: Pick<Clock, "monoMs" | "sleep">,
  needed: readonly string[],
  what: string,
): Promise<void> {
  const startMs = clock.monoMs();
  for (let untilMs = startMs + READY_WITHIN_MS; ; ) {
    const ready = await Promise.all(needed.map((path) => files.writable(path)));
    if (!ready.includes(false)) return;
    const nowMs = clock.monoMs();
    if ((await files.list(UDEV)).includes(UDEV_HAS_WORK)) {
      untilMs = Math.min(nowMs + READY_WITHIN_MS, startMs + BUSY_AT_MOST_MS);
    }
    if (nowMs >= untilMs) {
      const missing = needed[ready.indexOf(false)];
      throw new GatewayError("ACCESS_DENIED", `${what}: ${missing} is not writable after ${nowMs - startMs} ms`);
    }
    await clock.sleep(LOOK_EVERY_MS);
  }
}
