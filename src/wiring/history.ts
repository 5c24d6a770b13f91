import type { Config } from "../config/schema/config.ts";
import { HISTORY_READER, History, type HistoryDeps } from "../history/history.ts";
import { uniqueIdOf } from "../home-assistant/component.ts";
import { entityIdOf } from "./lifecycle/renames.ts";

/** What Home Assistant and its token are, where gaps are to be filled. */
function wanted({ homeAssistant, mqtt }: Config): Config["homeAssistant"]["history"] {
  return homeAssistant.enabled && mqtt.publish.includes("readings") ? homeAssistant.history : undefined;
}

/** For whom the store keeps what the broker has got. */
export function historyReaders(config: Config): readonly string[] {
  return wanted(config) ? [HISTORY_READER] : [];
}

/** The part that fills gaps, where the configuration asks for it. */
export function historyParts(
  config: Config,
  { gatewayId, ...deps }: Omit<HistoryDeps, "open" | "uniqueIdOf"> & { readonly gatewayId: string },
): ((signal: AbortSignal) => Promise<never>)[] {
  const history = wanted(config);
  if (history === undefined) return [];
  const open = async (signal: AbortSignal) => {
    // The client is loaded when there is something to say, which on most days there is not.
    const { openApi } = await import("../history/api-socket.ts");
    return openApi({ url: history.url, token: history.token.reveal() }, signal);
  };
  const uniqueId = (device: string, key: string) => {
    const former = deps.board.get(device)?.info.channels.find((channel) => channel.key === key)?.entity;
    return former?.uniqueId ?? uniqueIdOf(gatewayId, entityIdOf(deps.store, device), key);
  };
  return [(signal) => new History({ ...deps, open, uniqueIdOf: uniqueId }).run(signal)];
}
