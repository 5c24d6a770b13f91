import { isGatewayError } from "../core/errors.ts";
import type { Link } from "./link.ts";
import { type RetainedReader, readRetained } from "./retained.ts";
import type { Context } from "./state.ts";

/** A living gateway says `online` each heartbeat, so one of two and a half must bring it. */
const HEARTBEATS = 2.5;

/**
 * Waits while another installation lives under our gateway id: two that answer for the same topics would make each
 * other's readings doubtful. Its `info` names another instance and its status says `online`; if no heartbeat follows,
 * it is what a dead one left behind. Resolves when the way is free; rejects with the signal's reason.
 */
export async function outlastRival(reader: RetainedReader, context: Context, signal: AbortSignal): Promise<void> {
  const { deps, memory } = context;
  // The bundled broker began with us: who comes to it under our id comes later, and waits.
  if (deps.gateway.broker === "bundled") return;
  const instance = await rivalInstance(reader, context);
  if (instance === undefined) {
    memory.rival = undefined;
    return;
  }
  memory.rival = {
    code: "GATEWAY_ID_TAKEN",
    message: `another installation (${instance}) is online as ${deps.gateway.id}: give one of them another gateway id`,
  };
  deps.log.warn("another installation uses this gateway id", { gateway: deps.gateway.id, instance });
  await untilSilent(reader.link, context, signal);
  memory.rival = undefined;
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
