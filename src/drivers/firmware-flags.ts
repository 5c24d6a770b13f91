import { z } from "zod";
import { GatewayError, isGatewayError } from "../core/errors.ts";
import type { KernelFiles } from "../hardware/files.ts";
import type { DriverContext } from "./driver.ts";
import { excerpt, readIfThere } from "./kernel-files.ts";

/** Bits of get_throttled: what is the case now, and 16 bits higher what was (Raspberry Pi documentation). */
export const UNDER_VOLTAGE = 0b0001;
/** Frequency capped, throttled, soft temperature limit. */
export const CAPPED_OR_THROTTLED = 0b1110;
const PAST_SHIFT = 16;
const ALL = 0b1111;

/**
 * The kernel asks the firmware every two seconds, clears what was since then (raspberrypi-hwmon.c), and shows in
 * get_throttled what it was told last (raspberrypi.c of the Pi's kernel): whoever wants to know what was since boot must look as often.
 */
const LOOK_MS = 2000;

export interface FirmwareFlags {
  /** What is the case; undefined where the file has gone. BAD_VALUE where it holds something else. */
  now(): Promise<number | undefined>;
  /** What was the case since boot, at any look of this process or of one before. */
  sinceBoot(): Promise<number | undefined>;
  /** Looks on its own, until `close`. */
  watch(): void;
  close(): void;
}

const kept = z.object({ boot: z.string(), flags: z.int() });

export function firmwareFlags(
  files: KernelFiles,
  path: string,
  { clock, memory }: Pick<DriverContext, "clock" | "memory">,
): FirmwareFlags {
  const boot = clock.bootId();
  const stop = new AbortController();
  let seen = seenBefore(memory.load(), boot);

  const look = async () => {
    const text = await readIfThere(files, path);
    if (!text) return undefined;
    if (!/^(0x)?[0-9a-f]+$/i.test(text)) throw new GatewayError("BAD_VALUE", `${path} holds ${excerpt(text)}`);
    const flags = Number.parseInt(text, 16);
    const all = seen | ((flags >> PAST_SHIFT) & ALL);
    if (all !== seen) memory.save(JSON.stringify({ boot, flags: all }), "eventually");
    seen = all;
    return flags & ALL;
  };
  const run = async () => {
    while (!stop.signal.aborted) {
      try {
        await look();
      } catch (error) {
        // It is told to who reads next.
        if (!isGatewayError(error)) throw error;
      }
      await clock.sleep(LOOK_MS, stop.signal).catch(() => undefined);
    }
  };
  return {
    now: look,
    sinceBoot: async () => ((await look()) === undefined ? undefined : seen),
    watch: () => void run(),
    close: () => stop.abort(new Error("closed")),
  };
}

function seenBefore(text: string | undefined, boot: string): number {
  if (text === undefined) return 0;
  try {
    const found = kept.safeParse(JSON.parse(text));
    return found.success && found.data.boot === boot ? found.data.flags & ALL : 0;
  } catch {
    // Written by something else: as good as nothing.
    return 0;
  }
}
