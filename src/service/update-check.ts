import type { Clock } from "../core/clock.ts";
import { messageOf } from "../core/errors.ts";
import type { Log } from "../core/log.ts";
import type { Random } from "../core/random.ts";

export interface UpdateCheckParts {
  readonly url: string;
  readonly clock: Pick<Clock, "sleep">;
  readonly random: Random;
  readonly log: Log;
  /** The newest version that is told of. */
  readonly take: (version: string) => void;
  readonly get?: (url: string, signal: AbortSignal) => Promise<Response>;
}

const DAY_MS = 86_400_000;
/** Twenty gateways that start together after a power cut do not ask together. */
const FIRST_WITHIN_MS = 600_000;
const TIMEOUT_MS = 15_000;
const MAX_BYTES = 256 * 1024;

/** Asks once a day, until the signal, which version is the newest. What cannot be had is told once and asked again. */
export async function watchForUpdates(parts: UpdateCheckParts, signal: AbortSignal): Promise<void> {
  const { clock, random, log, take } = parts;
  let told: string | undefined;
  let pauseMs = random() * FIRST_WITHIN_MS;
  while (!signal.aborted) {
    await clock.sleep(pauseMs, signal).catch(() => undefined);
    if (signal.aborted) return;
    pauseMs = DAY_MS;
    try {
      take(await newest(parts, signal));
      told = undefined;
    } catch (error) {
      const reason = messageOf(error);
      if (!signal.aborted && reason !== told) log.warn("cannot look for a newer version", { reason });
      told = reason;
    }
  }
}

async function newest({ url, get = getUrl }: UpdateCheckParts, signal: AbortSignal): Promise<string> {
  const response = await get(url, AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]));
  if (!response.ok) throw new Error(`${url} answers ${response.status}`);
  return versionIn(await boundedText(response));
}

const getUrl = (url: string, signal: AbortSignal) => fetch(url, { signal, headers: { accept: "application/json" } });

async function boundedText(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    if (text.length > MAX_BYTES) throw new Error(`more than ${MAX_BYTES} bytes`);
  }
  return text;
}

/** `{"version": "1.2.3"}`, a release of GitHub (`tag_name`), or the version alone; with or without a `v` before it. */
export function versionIn(text: string): string {
  const named = text.trimStart().startsWith("{") ? fromJson(text) : text.trim();
  const [, version] = /^v?(\d+(?:\.\d+){1,3}(?:[-+][\w.+-]{1,40})?)$/.exec(String(named ?? "")) ?? [];
  if (version === undefined) throw new Error("what is there names no version");
  return version;
}

function fromJson(text: string): unknown {
  const release = JSON.parse(text) as { version?: unknown; tag_name?: unknown };
  return release.version ?? release.tag_name;
}
