import { isGatewayError } from "../core/errors.ts";
import type { Link } from "./link.ts";
import { type RetainedReader, readRetained } from "./live/retained.ts";
import type { Context } from "./state.ts";

/** A living gateway says `online` each heartbeat, so one of two and a half must bring it. */
const HEARTBEATS = 2.5;

/**
 * Is the way free, or does another installation live under our gateway id? Two that answer for the same topics would make
 * each other's readings doubtful. Its `info` names another instance and its status says `online`; if no heartbeat
 * follows, it is what a dead one left behind.
 *
 * Who waits must not leave a will behind that says `offline` of the one that lives: so a connection with a will is given
 * up, and the wait is spent on one without (`memory.isScouting`). Resolves with false when the connection has to be made
 * anew, with or without a will; rejects with the signal's reason.
 */
export async function isWayFree(reader: RetainedReader, context: Context, signal: AbortSignal): Promise<boolean> {
  const { deps, memory } = context;
  // The bundled broker began with us: who comes to it under our id comes later, and waits.
  if (deps.gateway.broker === "bundled") return true;
  const instance = await rivalInstance(reader, context);
  if (instance === undefined || instance === memory.outlasted) {
    memory.rival = undefined;
    if (!memory.isScouting) return true;
  } else {
    noteRival(instance, context);
    if (memory.isScouting) {
      await untilSilent(reader.link, context, signal);
      memory.outlasted = instance;
      memory.rival = undefined;
    }
  }
  memory.isScouting = !memory.isScouting;
  return false;
}

function noteRival(instance: string, { deps, memory }: Context): void {
  if (!memory.rival) {
    deps.log.warn("another installation uses this gateway id", { gateway: deps.gateway.id, instance });
  }
  memory.rival = {
    code: "GATEWAY_ID_TAKEN",
    message: `another installation (${instance}) is online as ${deps.gateway.id}: give one of them another gateway id`,
  };
}

async function rivalInstance(reader: RetainedReader, { options, deps }: Context): Promise<string | undefined> {
  const { info, status } = options.topics;
  try {
    const kept = await readRetained(reader, [info, status]);
    const instance = instanceOf(kept.get(info));
    return instance !== deps.gateway.instance && kept.get(status) === "online" ? instance : undefined;
  } catch (error) {
    // Rules that do not let us read our own topics are no reason to keep quiet.
    if (!isGatewayError(error, "BROKER_REFUSED")) throw error;
    deps.log.warn("cannot tell whether another installation is online", { error: error.message });
    return undefined;
  }
}

async function untilSilent(link: Link, { options, deps }: Context, signal: AbortSignal): Promise<void> {
  const { status } = options.topics;
  let heard: string | undefined;
  const stop = link.onMessage(({ topic, payload, retained }) => {
    if (topic === status && !retained) heard = Buffer.from(payload).toString("utf8");
  });
  try {
    await link.subscribe([status]);
    do {
      heard = undefined;
      await deps.clock.sleep(HEARTBEATS * options.heartbeatMs, signal);
    } while (heard === "online");
    await link.unsubscribe([status]);
  } finally {
    stop();
  }
}

function instanceOf(payload: string | undefined): string | undefined {
  if (payload === undefined) return undefined;
  try {
    const { instance } = JSON.parse(payload);
    return typeof instance === "string" ? instance : undefined;
  } catch {
    return undefined;
  }
}
