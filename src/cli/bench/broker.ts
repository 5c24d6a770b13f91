import { performance } from "node:perf_hooks";
import { type Broker, openBroker } from "../../broker/broker.ts";
import { topicsOf } from "../../core/topics.ts";
import type { Link } from "../../uplink/link.ts";
import { type UplinkOptions, uplinkDefaults } from "../../uplink/options.ts";
import { callBroker } from "../../uplink/requests/call.ts";
import { type Figures, type Measuring, perSecond, silent } from "./measurement.ts";

const MESSAGES = 30_000;
const IN_FLIGHT = 100;
const AT_MOST_MS = 15_000;
const TOPIC = "bench/readings";
const PAYLOAD = JSON.stringify({ epoch: 1, seq: 1, time: "2026-01-01T00:00:00.000Z", values: { temperature: 21.5 } });

/** The bundled broker as the gateway runs it, on a Unix socket that only we know. */
export function scratchBroker({ scratch, clock }: Measuring, name: string): Promise<Broker> {
  const stagingPath = `${scratch.memory}/${name}-staging`;
  return openBroker(
    {
      listeners: [{ path: socketOf(scratch.memory, name), mode: 0o600, identity: "bench" }],
      persistence: { directory: `${scratch.disk}/${name}`, stagingPath, windowMs: 5000 },
    },
    { clock, log: silent },
  );
}

export function uplinkTo({ scratch }: Measuring, name: string, clientId: string): UplinkOptions {
  const urls = [`unix:${socketOf(scratch.memory, name)}`];
  return { ...uplinkDefaults, urls, clientId, topics: topicsOf("bench", "bench") };
}

function socketOf(directory: string, name: string): string {
  return `${directory}/${name}.sock`;
}

/** QoS 1 from one publisher with 100 messages in flight to one subscriber, through the bundled broker. */
export async function measureBroker(measuring: Measuring): Promise<Figures> {
  const { clock, signal } = measuring;
  await using _broker = await scratchBroker(measuring, "broker");
  const subscriber = await callBroker(uplinkTo(measuring, "broker", "subscriber"), clock, signal);
  const publisher = await callBroker(uplinkTo(measuring, "broker", "publisher"), clock, signal);
  try {
    let heard = 0;
    const done = new AbortController();
    subscriber.onMessage(() => {
      heard += 1;
      if (heard === MESSAGES) done.abort();
    });
    await subscriber.subscribe([TOPIC]);
    const startMs = performance.now();
    const acknowledged = await publishAll(publisher, startMs + AT_MOST_MS, signal);
    const acknowledgedMs = performance.now() - startMs;
    if (acknowledged === MESSAGES) await clock.sleep(AT_MOST_MS, done.signal).catch(() => {});
    const heardMs = performance.now() - startMs;
    return {
      acknowledged_qos1_100_in_flight_per_s: perSecond(acknowledged, acknowledgedMs),
      delivered_qos1_per_s: perSecond(heard, heardMs),
    };
  } finally {
    await Promise.all([publisher.end(), subscriber.end()]);
  }
}

/** Returns how many were acknowledged in the time there was. */
async function publishAll(link: Link, untilMs: number, signal: AbortSignal): Promise<number> {
  let sent = 0;
  let acknowledged = 0;
  const lane = async () => {
    while (sent < MESSAGES && performance.now() < untilMs && !signal.aborted) {
      sent += 1;
      await link.publish({ topic: TOPIC, payload: PAYLOAD, qos: 1 }, false);
      acknowledged += 1;
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, lane));
  return acknowledged;
}
