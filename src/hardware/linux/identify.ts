import { readFile, writeFile } from "node:fs/promises";
import type { Clock } from "../../core/clock.ts";

/** The green LED, by its names over the kernels. */
const LEDS = ["/sys/class/leds/ACT", "/sys/class/leds/led0"];
const BLINK_MS = 10_000;

/**
 * Blinks the board's LED for ten seconds, and then lets it show what it showed before. Resolves as soon as it blinks; with
 * false where there is none, or it may not be switched.
 */
export async function blinkLed(clock: Pick<Clock, "sleep">, signal: AbortSignal, leds = LEDS): Promise<boolean> {
  for (const led of leds) {
    const file = `${led}/trigger`;
    try {
      // The one that is in force stands in brackets.
      const before = /\[([\w-]+)\]/.exec(await readFile(file, "utf8"))?.[1] ?? "none";
      const brightness = await readFile(`${led}/brightness`, "utf8");
      await writeFile(file, "timer");
      const restore = async () => {
        await writeFile(file, before);
        // Without a trigger it would stay dark: the kernel's led_trigger_set turns it off.
        if (before === "none") await writeFile(`${led}/brightness`, brightness);
      };
      void clock
        .sleep(BLINK_MS, signal)
        .catch(() => undefined)
        .then(() => restore().catch(() => undefined));
      return true;
    } catch {
      // Not there, or not ours to switch: the next name.
    }
  }
  return false;
}
