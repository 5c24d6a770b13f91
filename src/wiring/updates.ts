import type { Config } from "../config/schema/config.ts";
import { type UpdateCheckParts, watchForUpdates } from "../service/update-check.ts";

/** Looks for newer versions where the configuration says; nobody is asked otherwise. */
export async function lookForUpdates(
  { homeAssistant: { updateUrl: url } }: Config,
  { clock, log, random, take }: Omit<UpdateCheckParts, "url">,
  signal: AbortSignal,
): Promise<void> {
  if (url !== undefined) await watchForUpdates({ url, clock, log, random, take }, signal);
}
