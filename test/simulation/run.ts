import { GOOD_MANNERS, SimulatedBroker } from "./broker.ts";
import { Chance } from "./chance.ts";
import { Consumer } from "./consumer.ts";
import { topics } from "./gateway.ts";
import type { Network } from "./link.ts";
import type { Mutation } from "./mutation.ts";
import { SimulatedPi } from "./pi.ts";
import { type Happening, type Schedule, scheduleOf, type Trouble } from "./schedule.ts";
import { Time } from "./time.ts";

const KEEP_ALIVE_MS = 30_000;
/** Once nothing is wrong any more: the longest back-off, acknowledgement timeout and wait for the clock, with room. */
const CALM_WITHIN_MS = 10 * 60_000;

export interface Outcome {
  readonly violations: readonly string[];
  readonly schedule: Schedule;
  readonly taken: number;
  readonly arrived: number;
  readonly simulatedMs: number;
}

/** Lives the schedule of a seed, and says what broke. */
export async function simulate(seed: number, mutation: Mutation = {}): Promise<Outcome> {
  const chance = new Chance(seed);
  const schedule = scheduleOf(chance);
  const time = new Time();
  const consumer = new Consumer();
  const broker = new SimulatedBroker(chance, {
    published: (connection, topic, payload) => {
      pi.followEpoch();
      published(consumer, connection, topic, payload, pi.epoch);
    },
    refused: (connection, _, payload) => consumer.refused(connection, JSON.parse(payload)),
  });
  const network: Network = { time, chance, broker, links: new Set() };
  using pi = new SimulatedPi(schedule, network, consumer, mutation);
  await live(schedule, pi, network, consumer);
  if (consumer.violations.length === 0) await calm(schedule, pi, network, consumer);
  const { violations, takenCount: taken, arrivedCount: arrived } = consumer;
  return { violations, schedule, taken, arrived, simulatedMs: time.nowMs };
}

function published(consumer: Consumer, connection: number, topic: string, payload: string, epoch = 0): void {
  if (topic.endsWith("/readings")) consumer.heard(connection, JSON.parse(payload));
  if (topic === topics.gaps) consumer.told(JSON.parse(payload), epoch);
  if (topic === topics.health) consumer.balance(JSON.parse(payload));
}

async function live(schedule: Schedule, pi: SimulatedPi, network: Network, consumer: Consumer): Promise<void> {
  await pi.start();
  for (const happening of schedule.happenings) {
    await network.time.pass(happening.afterMs);
    if (!pi.life) await pi.start();
    look(pi, consumer);
    if (consumer.violations.length > 0) return;
    await happen(happening, schedule, pi, network);
    look(pi, consumer);
  }
}

/** What the store says of itself at any moment. */
function look(pi: SimulatedPi, consumer: Consumer): void {
  const { store } = pi.life ?? {};
  if (!store) return;
  for (const gap of store.outbox.gaps()) consumer.told(gap, store.epoch);
  const counters = store.counters();
  const dropped_total = Object.values(counters.dropped).reduce((sum, count) => sum + count, 0);
  consumer.balance({ ...counters, dropped_total });
}

async function happen(happening: Happening, schedule: Schedule, pi: SimulatedPi, network: Network): Promise<void> {
  switch (happening.what) {
    case "kill":
      pi.kill();
      return await pi.start();
    case "powerCut":
      pi.powerCut(happening.offMs, happening.keepsAll);
      return await pi.start();
    case "restart":
      await pi.stop();
      return await pi.start();
    case "reconfigure":
      return await pi.apply(happening.devices);
    case "syncClock":
      if (schedule.hasTimeSource) pi.clock.correct();
      return;
    case "setClock":
      return pi.clock.setBy(happening.byMs);
    case "suspend":
      return pi.clock.suspend(happening.forMs);
    case "diskBreaks":
      return pi.breakDisk(happening.fault);
    case "diskSlow":
      return pi.slowDisk(happening.delayMs);
    case "diskRecovers":
      return pi.mendDisk();
    default:
      return trouble(happening, network);
  }
}

/** What happens to the broker, or on the way to it. */
function trouble(happening: Trouble, { broker, links, chance, time }: Network): void {
  const { manners } = broker;
  switch (happening.what) {
    case "breakLink":
      for (const link of links) link.break(chance.happens(0.5));
      return;
    case "brokerSilent":
      manners.silent = true;
      time.after(KEEP_ALIVE_MS * 1.5, () => {
        if (manners.silent) for (const link of links) link.timeOut();
      });
      return;
    case "brokerMute":
      manners.acknowledges = false;
      return;
    case "brokerRefusesConnections":
      manners.refusesConnections = happening.kind;
      for (const link of links) link.break(true, happening.kind === "busy" ? 0x89 : undefined);
      return;
    case "brokerRefusesReadings":
      manners.refusal = happening;
      return;
    case "brokerSlow":
      manners.delayMs = happening.delayMs;
      return;
    case "brokerRecovers":
      Object.assign(manners, GOOD_MANNERS);
      return;
  }
}

/** Nothing is wrong any more: everything that can arrive does, and what is retained is what is true. */
async function calm(schedule: Schedule, pi: SimulatedPi, network: Network, consumer: Consumer): Promise<void> {
  const { broker, time } = network;
  Object.assign(broker.manners, GOOD_MANNERS);
  pi.mendDisk();
  if (schedule.hasTimeSource) pi.clock.correct();
  if (!pi.life) await pi.start();
  await time.pass(1000);
  pi.sampling = false;
  const isOver = () => pi.life?.store.counters().pending === 0 && untrue(pi, broker) === undefined;
  if (!(await time.passUntil(isOver, CALM_WITHIN_MS))) {
    const { store, uplink } = pi.life ?? {};
    const state = JSON.stringify({ ...store?.counters(), faults: store?.faults(), link: uplink?.linkState() });
    return consumer.violated(
      `it does not come to rest: ${untrue(pi, broker) ?? "not everything is delivered"}: ${state}`,
    );
  }
  look(pi, consumer);
  consumer.settle();
}

/** What is retained and not true. */
function untrue(pi: SimulatedPi, { retained }: SimulatedBroker): string | undefined {
  const status = retained.get(topics.status);
  if (status !== "online") return `the gateway's retained status is ${status}`;
  for (const { info, newest } of pi.life?.board.all() ?? []) {
    const shown = retained.get(topics.device(info.id).state);
    const value = newest.get("n")?.value;
    if (value !== undefined && (shown === undefined || JSON.parse(shown).n !== value)) {
      return `the retained state of ${info.id} is ${shown}, its newest value ${value}`;
    }
  }
  return undefined;
}
