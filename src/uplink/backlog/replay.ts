import { GatewayError } from "../../core/errors.ts";
import type { StoredRecord } from "../../core/reading.ts";
import type { Link } from "../link.ts";
import { REASON } from "../link.ts";
import { isCount } from "../requests/json.ts";
import { invalidRequest, type RequestHandler } from "../requests/requests.ts";
import type { Settings } from "../state.ts";
import { DESTINATION } from "./destination.ts";
import { awaitedLater, Pace } from "./pace.ts";
import { readingMessage } from "./reading-message.ts";

/** Readings that one request brings; who wants more asks again from `to` + 1. */
const REPLAY_MAX = 10_000;
const CHUNK = 500;

interface Range {
  readonly epoch: number;
  readonly from: number;
  readonly to: number;
  /** Last `seq` of the epoch so far. */
  readonly last: number;
}

/**
 * `request/replay {epoch, from, to}`: publishes what is still held of a range once more, marked `replay`, and answers
 * when the broker has it: `{epoch, from, to, last, sent, missing}`, `missing` being the ranges of `seq` that are not
 * there any more. What the broker has not got yet is on its way and not replayed: then `to` is less than was asked for.
 */
export function replayRequest(context: Settings, link: () => Link): RequestHandler {
  let isBusy = false;
  return async (request) => {
    const range = rangeOf(request, context);
    if (isBusy) throw new GatewayError("REQUEST_BUSY", "another replay is under way: ask again");
    isBusy = true;
    try {
      return { ...range, ...(await replay(range, context, link())) };
    } finally {
      isBusy = false;
    }
  };
}

function rangeOf({ epoch, from, to }: Readonly<Record<string, unknown>>, { deps }: Settings): Range {
  const { outbox } = deps.store;
  if (!isCount(epoch)) throw invalidRequest("epoch: expected a whole number");
  if (!isCount(from) || from < 1) throw invalidRequest("from: expected a whole number from 1 on");
  if (to !== undefined && (!isCount(to) || to < from))
    throw invalidRequest("to: expected a whole number from `from` on");
  const last = outbox.lastSeq(epoch);
  if (last === undefined) throw new GatewayError("EPOCH_UNKNOWN", `nothing is known of epoch ${epoch} any more`);
  const limit = Math.min(to ?? last, last, from + REPLAY_MAX - 1);
  return { epoch, from, to: deliveredTo(outbox, epoch, from, limit), last };
}

/** The highest `seq` up to `limit` that the broker has; `from - 1` when it has none of them. */
function deliveredTo(outbox: Settings["deps"]["store"]["outbox"], epoch: number, from: number, limit: number): number {
  const position = outbox.position(epoch, limit);
  if (position === undefined) return from - 1;
  return Math.max(from - 1, limit - Math.max(0, position - outbox.cursor(DESTINATION)));
}

async function replay({ epoch, from, to }: Range, context: Settings, link: Link) {
  const { drainRate } = context.options;
  const pace = drainRate === undefined ? undefined : new Pace(drainRate, context.deps.clock);
  const missing: [number, number][] = [];
  let next = from;
  let sent = 0;
  while (next <= to) {
    const records = await context.deps.store.outbox.range(epoch, next, to, CHUNK);
    const answers: Promise<number>[] = [];
    for (const record of records) {
      if (record.seq > next) missing.push([next, record.seq - 1]);
      next = record.seq + 1;
      if (pace) await pace.take(new AbortController().signal);
      answers.push(awaitedLater(send(record, context, link)));
    }
    sent += (await Promise.all(answers)).filter((code) => code < REASON.unspecified).length;
    if (records.length > 0) continue;
    missing.push([next, to]);
    break;
  }
  return { sent, missing };
}

function send(record: StoredRecord, context: Settings, link: Link): Promise<number> {
  return link.publish(readingMessage(record, true, context), false);
}
