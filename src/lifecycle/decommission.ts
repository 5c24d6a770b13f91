import { GatewayError } from "../core/errors.ts";
import type { LedgerEntry } from "../store/store.ts";
import { runSteps, type Step, type StepReport } from "./steps.ts";

/** What ending a device needs of the gateway. */
export interface DecommissionPorts {
  isKnown(device: string): boolean;
  isSampled(device: string): boolean;
  /** Stops sampling and takes the device off the live plane: nothing publishes for it afterwards. */
  stop(device: string): Promise<void>;
  isTombstoned(device: string): boolean;
  tombstone(device: string): Promise<void>;
  /** The retained topics that the ledger still holds for it. */
  ledgerTopics(device: string): Promise<LedgerEntry[]>;
  /** Publishes an empty retained message to each, at QoS 1. */
  clearRetained(topics: readonly string[]): Promise<void>;
  /** Which of these exact topics the broker still has a retained message on. */
  retainedAmong(topics: readonly string[]): Promise<string[]>;
  /** Takes the topic out of the ledger. */
  cleared(topic: string): Promise<void>;
  hasValues(device: string): boolean;
  forgetValues(device: string): void | Promise<void>;
}

export interface DecommissionResult {
  readonly device: string;
  readonly dryRun: boolean;
  /** Retained topics that were cleared and seen to be gone (or, in a dry run, would be). */
  readonly topics: readonly string[];
  readonly steps: readonly StepReport[];
}

/**
 * Ends a device: nothing samples it, nothing retained is left of it, and an old configuration does not bring it back.
 * Rejects with DEVICE_UNKNOWN, or with BROKER_UNREACHABLE when the broker is away: what was done stays done, and running
 * it again finishes the rest.
 */
export async function decommission(
  device: string,
  dryRun: boolean,
  ports: DecommissionPorts,
): Promise<DecommissionResult> {
  const topics = (await ports.ledgerTopics(device)).map((entry) => entry.topic);
  if (!ports.isKnown(device) && topics.length === 0) {
    throw new GatewayError("DEVICE_UNKNOWN", `no device "${device}", and nothing retained is left of one`);
  }
  if (dryRun) return { device, dryRun, topics, steps: [] };
  const cleared: string[] = [];
  const reports: StepReport[] = [];
  await runSteps(decommissionSteps(device, ports, cleared), (report) => reports.push(report));
  return { device, dryRun, topics: cleared, steps: reports };
}

/**
 * The tombstone stands before anything is cleared, so that a restart in the middle does not announce the device anew.
 * A topic leaves the ledger only after the broker was asked and had nothing on it.
 */
function decommissionSteps(device: string, ports: DecommissionPorts, cleared: string[]): Step[] {
  const remaining = async () => (await ports.ledgerTopics(device)).map((entry) => entry.topic);
  return [
    {
      title: "remember that it was decommissioned",
      done: async () => ports.isTombstoned(device),
      run: () => ports.tombstone(device),
    },
    { title: "stop sampling", done: async () => !ports.isSampled(device), run: () => ports.stop(device) },
    {
      title: "clear its retained topics and see that they are gone",
      done: async () => (await remaining()).length === 0,
      async run() {
        const topics = await remaining();
        await ports.clearRetained(topics);
        const left = new Set(await ports.retainedAmong(topics));
        for (const topic of topics.filter((candidate) => !left.has(candidate))) {
          await ports.cleared(topic);
          cleared.push(topic);
        }
        if (left.size > 0) {
          throw new GatewayError("BROKER_REFUSED", `the broker still retains ${[...left].join(", ")}`);
        }
      },
    },
    {
      title: "forget its values",
      done: async () => !ports.hasValues(device),
      run: async () => ports.forgetValues(device),
    },
  ];
}
