import { GatewayError, isGatewayError } from "../core/errors.ts";
import { isDiscoveryTopic } from "../core/topics.ts";
import { isAt, type LedgerEntry } from "../store/store.ts";
import { clearAndSee, type RetainedPorts } from "./clear.ts";
import { runSteps, type Step, type StepReport } from "./steps.ts";

/** What is ended, a device or the gateway, and the world around it. */
export interface DecommissionPorts extends RetainedPorts {
  /** The device's id, or the gateway's. */
  readonly id: string;
  isKnown(): boolean;
  isTombstoned(): boolean;
  tombstone(): Promise<void>;
  isRunning(): boolean;
  /** Stops sampling with the outputs safe, and takes it off the live plane: nothing publishes for it afterwards. */
  stop(): Promise<void>;
  /** How many of its readings wait for delivery. */
  waiting(): Promise<number>;
  /** Drops its readings that wait, counted. */
  discard(): Promise<void>;
  /** Only where readings cannot be delivered afterwards. Rejects with BROKER_UNREACHABLE while there is no connection. */
  deliver?(): Promise<void>;
  /** Only where a session and a last will end, too. */
  readonly session?: { hasEnded(): boolean; end(): Promise<void> };
  /** The broker that is spoken with, as in the ledger. */
  broker(): string;
  /** What the ledger still holds for it, at whatever broker. */
  entries(): Promise<LedgerEntry[]>;
  /** Takes the topic out of the ledger of the broker that is spoken with. */
  cleared(topic: string): Promise<void>;
  /** What is kept for it beside its readings: newest values, offsets, totals, what its driver learnt. */
  hasValues(): boolean;
  forgetValues(): Promise<void>;
}

export interface DecommissionRequest {
  readonly dryRun: boolean;
  /** What waits for delivery is dropped; otherwise it is still delivered. */
  readonly discard: boolean;
}

export interface DecommissionResult {
  readonly id: string;
  /** `queued`: what needs the broker is done when it is there again. */
  readonly outcome: "would" | "done" | "queued";
  /** Retained topics that were cleared and seen to be gone; of `would`, those that would be. */
  readonly topics: readonly string[];
  /** Those that are still to be cleared. */
  readonly left: readonly string[];
  /** Those at other brokers, which are cleared when those are reached again. */
  readonly elsewhere: readonly LedgerEntry[];
  /** Readings that still wait for delivery. */
  readonly waiting: number;
  readonly steps: readonly StepReport[];
  /** Why it is queued. */
  readonly reason?: string;
}

/**
 * Ends a device or the gateway: nothing samples it, nothing retained is left of it, and an old configuration does not
 * bring it back. Rejects with DEVICE_UNKNOWN, or with BROKER_REFUSED when the broker does not let a topic go. What was
 * done stays done, and running it again finishes the rest.
 */
export async function decommission(
  { dryRun, discard }: DecommissionRequest,
  ports: DecommissionPorts,
  begins?: (title: string) => void,
): Promise<DecommissionResult> {
  const { id } = ports;
  const steps: StepReport[] = [];
  const topics: string[] = [];
  const result = async (outcome: DecommissionResult["outcome"]) => {
    const entries = await ports.entries();
    const left = namesAt(ports.broker(), entries);
    const elsewhere = entries.filter((entry) => !isAt(ports.broker(), entry));
    const would = outcome === "would";
    const waiting = await ports.waiting();
    return { id, outcome, topics: would ? left : topics, left: would ? [] : left, elsewhere, waiting, steps };
  };
  if (!ports.isKnown() && !ports.isTombstoned() && (await ports.entries()).length === 0) {
    throw new GatewayError("DEVICE_UNKNOWN", `no device "${id}", and nothing retained is left of one`);
  }
  if (dryRun) return await result("would");
  const events = { ...(begins && { begins }), ended: (step: StepReport) => void steps.push(step) };
  // What has a session is told of until that ends, and what was told is among its values.
  await runSteps([...localSteps(ports, discard), ...(ports.session ? [] : [forgetting(ports)])], events);
  try {
    await runSteps(remoteSteps(ports, topics), events);
  } catch (error) {
    if (!isGatewayError(error, "BROKER_UNREACHABLE", "BROKER_TLS")) throw error;
    return { ...(await result("queued")), reason: error.message };
  }
  return await result("done");
}

/** The tombstone stands before anything else, so that a restart in the middle does not announce it anew. */
function localSteps(ports: DecommissionPorts, discard: boolean): Step[] {
  const dropping: Step = {
    title: "drop the readings that wait",
    done: async () => (await ports.waiting()) === 0,
    run: () => ports.discard(),
  };
  return [
    {
      title: "remember that it was decommissioned",
      done: async () => ports.isTombstoned(),
      run: () => ports.tombstone(),
    },
    {
      title: "stop sampling, outputs safe",
      done: async () => !ports.isRunning(),
      run: () => ports.stop(),
    },
    ...(discard ? [dropping] : []),
  ];
}

function ending(session: DecommissionPorts["session"] & {}): Step {
  return { title: "end its session", done: async () => session.hasEnded(), run: () => session.end() };
}

function forgetting(ports: DecommissionPorts): Step {
  return {
    title: "forget its values",
    done: async () => !ports.hasValues(),
    run: () => ports.forgetValues(),
  };
}

/** A topic leaves the ledger only after the broker was asked and had nothing on it. */
function remoteSteps(ports: DecommissionPorts, cleared: string[]): Step[] {
  const { session } = ports;
  const deliver = ports.deliver?.bind(ports);
  const clearing = (title: string, isMeant: (topic: string) => boolean): Step => {
    const remaining = async () => namesAt(ports.broker(), await ports.entries()).filter(isMeant);
    return {
      title,
      done: async () => (await remaining()).length === 0,
      run: async () =>
        clearAndSee(await remaining(), ports, async (topic) => {
          await ports.cleared(topic);
          cleared.push(topic);
        }),
    };
  };
  return [
    ...(deliver
      ? [{ title: "deliver the readings that wait", done: async () => (await ports.waiting()) === 0, run: deliver }]
      : []),
    // Before the topics: a last will that is still armed would bring a status back.
    ...(session ? [ending(session), forgetting(ports)] : []),
    clearing("withdraw it from Home Assistant, and see that it is gone", isDiscoveryTopic),
    clearing("clear its retained topics, and see that they are gone", () => true),
  ];
}

function namesAt(broker: string, entries: readonly LedgerEntry[]): string[] {
  return [...new Set(entries.filter((entry) => isAt(broker, entry)).map(({ topic }) => topic))];
}
