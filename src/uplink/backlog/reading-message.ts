import type { StoredRecord } from "../../core/reading.ts";
import type { Publication } from "../link.ts";
import { readingPayload } from "../live/payloads.ts";
import { type Settings, timeOf } from "../state.ts";

/** A reading as it goes out now: its time may be known better at the next try. */
export function readingMessage(stored: StoredRecord, replay: boolean, { options, deps }: Settings): Publication {
  const { device, at } = stored.record;
  const info = deps.board.get(device)?.info;
  const { readings: qos } = info?.qos ?? options.qos;
  return {
    topic: options.topics.device(device).readings,
    payload: readingPayload(stored, { info, time: timeOf(deps, at), replay }),
    qos,
    id: stored.position,
  };
}
