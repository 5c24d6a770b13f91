import type { Clock } from "../core/clock.ts";
import { DEVICE_ID_PATTERN } from "../core/device.ts";
import { GatewayError } from "../core/errors.ts";
import { isDiscoveryTopic } from "../core/topics.ts";
import { inClearingOrder, leftBy } from "./audit.ts";
import { clearAndSee, type RetainedPorts } from "./clear.ts";
import type { DecommissionResult } from "./decommission.ts";
import { runSteps, type Step, type StepReport } from "./steps.ts";

/** A broker as a stranger sees it. */
export interface BrokerView extends RetainedPorts {
  /** The retained messages on topics, or on filters with wildcards. */
  read(filters: readonly string[]): Promise<Map<string, string>>;
  /** Is anything published live on the filter before the time is over? */
  isHeard(filter: string, withinMs: number): Promise<boolean>;
  /** Takes the place of this client and leaves: its session is dropped. */
  endSession(clientId: string): Promise<void>;
}

export interface DeadGateway {
  readonly id: string;
  readonly baseTopic: string;
  readonly prefix: string;
}

export interface DeadResult extends Pick<DecommissionResult, "id" | "topics" | "steps"> {
  readonly outcome: "would" | "done";
  /** False where the broker does not answer wildcards: what its `info` did not name may be left. */
  readonly complete: boolean;
}

/** A living gateway says `online` every 100 s. */
const SILENCE_MS = 210_000;

/**
 * Ends a gateway that will not come back, from anywhere that reaches its broker, by what is retained there. Rejects with
 * GATEWAY_ONLINE for one that lives, DEVICE_UNKNOWN where nothing is left of one, and USAGE_INVALID for what is no id.
 */
export async function decommissionOf(
  gateway: DeadGateway,
  dryRun: boolean,
  view: BrokerView,
  events: { listening?(withinMs: number): void; begins?(title: string): void } = {},
): Promise<DeadResult> {
  const { id, baseTopic, prefix } = gateway;
  // A wildcard would end them all, and none of them would be asked whether it lives.
  if (!DEVICE_ID_PATTERN.test(id)) throw new GatewayError("USAGE_INVALID", `${JSON.stringify(id)} is no gateway's id`);
  const root = `${baseTopic}/${id}`;
  const known = await view.read([`${root}/status`, `${root}/info`, `${root}/health`]);
  const wild = await view.read([`${root}/#`, `${prefix}/device/${id}/#`]);
  const info = known.get(`${root}/info`);
  const exact = await view.read(leftBy(id, baseTopic, prefix, info));
  const topics = inClearingOrder([...wild.keys(), ...exact.keys()]);
  if (topics.length === 0) {
    throw new GatewayError("DEVICE_UNKNOWN", `nothing retained is left of a gateway "${id}" under ${baseTopic}`);
  }
  await seeThatItIsDead(gateway, known.get(`${root}/status`), view, events);
  const complete = [...exact.keys()].every((topic) => wild.has(topic));
  if (dryRun) return { id, outcome: "would", topics, steps: [], complete };

  const cleared: string[] = [];
  const steps: StepReport[] = [];
  await runSteps(stepsOf(topics, clientIdOf(id, info), cleared, view), {
    ...(events.begins && { begins: events.begins }),
    ended: (step) => void steps.push(step),
  });
  return { id, outcome: "done", topics: cleared, steps, complete };
}

/** `online` may be what a crash of its broker left behind: then nothing comes any more. */
async function seeThatItIsDead(
  { id, baseTopic }: DeadGateway,
  status: string | undefined,
  view: BrokerView,
  { listening }: { listening?(withinMs: number): void },
): Promise<void> {
  if (status !== "online") return;
  listening?.(SILENCE_MS);
  if (!(await view.isHeard(`${baseTopic}/${id}/#`, SILENCE_MS))) return;
  const remedy = `end it there: \`fieldpost decommission --gateway\``;
  throw new GatewayError("GATEWAY_ONLINE", `the gateway "${id}" is online: ${remedy}`);
}

function stepsOf(topics: readonly string[], clientId: string | undefined, cleared: string[], view: BrokerView): Step[] {
  let hasSession = clientId !== undefined;
  const clearing = (title: string, isMeant: (topic: string) => boolean): Step => {
    const remaining = () => topics.filter((topic) => isMeant(topic) && !cleared.includes(topic));
    const gone = async (topic: string) => void cleared.push(topic);
    return {
      title,
      done: async () => remaining().length === 0,
      run: () => clearAndSee(remaining(), view, gone),
    };
  };
  return [
    {
      title: "end its session",
      done: async () => !hasSession,
      async run() {
        if (clientId !== undefined) await view.endSession(clientId);
        hasSession = false;
      },
    },
    clearing("withdraw it from Home Assistant, and see that it is gone", isDiscoveryTopic),
    clearing("clear its retained topics, and see that they are gone", () => true),
  ];
}

/** The client id that a gateway has where none is configured. */
function clientIdOf(id: string, info: string | undefined): string | undefined {
  try {
    const { instance } = JSON.parse(info ?? "{}");
    return typeof instance === "string" && instance !== "" ? `${id}-${instance.slice(0, 8)}` : undefined;
  } catch {
    return undefined;
  }
}

/** What `isHeard` comes down to: the first live message, or the end of the time. */
export async function heardWithin(
  listen: (heard: () => void) => () => void,
  withinMs: number,
  clock: Pick<Clock, "sleep">,
): Promise<boolean> {
  const sign = new AbortController();
  const stop = listen(() => sign.abort());
  await clock.sleep(withinMs, sign.signal).catch(() => undefined);
  stop();
  return sign.signal.aborted;
}
