import { createHash } from "node:crypto";
import type { Channel, PartialFault } from "../core/device.ts";
import type { Log } from "../core/log.ts";
import type { Sample } from "../core/reading.ts";
import {
  type ChannelsSettings,
  type ComputedChannels,
  chosenChannels,
  planOf,
  processedChannels,
  publishedSample,
} from "../processing/channels.ts";
import { adjustableStep, type Offsets, stepsOfChannel, withOffsets } from "../processing/offsets.ts";
import {
  beginProcessing,
  type Plan,
  type ProcessState,
  processSample,
  withoutRejections,
} from "../processing/process.ts";
import { smallKey } from "./small-values.ts";

/** Where a device's processing keeps what it remembers. */
export interface KeptState {
  load(key: string): unknown;
  save(key: string, state: unknown): void;
  /** What nobody could say again. */
  saveNow(key: string, state: unknown): void;
}

export interface ProcessingDeps {
  readonly kept: KeptState;
  readonly boot: string;
  readonly log: Pick<Log, "info" | "warn">;
}

interface Rejection {
  readonly step: string;
  readonly value: number;
  readonly sinceMs: number;
  readonly reads: number;
}

/** In a row. */
const REJECTED_READS = 3;

/** What one device's samples go through on their way to the store, and what it becomes of its channels. */
export class DeviceProcessing {
  readonly #settings: ChannelsSettings;
  readonly #computed: ComputedChannels;
  /** As configured. */
  readonly #planned: Plan;
  readonly #key: string;
  readonly #offsetsKey: string;
  readonly #signature: string;
  readonly #deps: ProcessingDeps;
  #offsets: Offsets;
  #plan: Plan;
  #state: ProcessState;
  /** Channels whose last value was thrown away, and what began it. */
  readonly #rejecting = new Map<string, Rejection>();

  constructor(device: string, settings: ChannelsSettings, computed: ComputedChannels, deps: ProcessingDeps) {
    this.#settings = settings;
    this.#computed = computed;
    this.#planned = planOf(settings, computed);
    this.#deps = deps;
    this.#key = smallKey("process", device);
    this.#offsetsKey = smallKey("offset", device);
    this.#signature = createHash("sha256").update(JSON.stringify(this.#planned)).digest("base64").slice(0, 12);
    this.#offsets = (deps.kept.load(this.#offsetsKey) as Offsets | undefined) ?? {};
    this.#plan = withOffsets(this.#planned, this.#offsets);
    this.#state = beginProcessing(this.#plan, deps.boot, this.#loaded());
  }

  /** The device's channels as they are published. */
  channels(channels: readonly Channel[]): Channel[] {
    return chosenChannels(processedChannels(channels, this.#plan, this.#computed), this.#settings);
  }

  /** How far a channel's offset may go either way; undefined where it is fixed. */
  offsetLimit(channel: string): number | undefined {
    return adjustableStep(stepsOfChannel(this.#planned, channel))?.adjustable;
  }

  /** From the next value on, and over restarts; undefined: as configured. Returns what it is now. */
  setOffset(channel: string, offset: number | undefined): number {
    const configured = adjustableStep(stepsOfChannel(this.#planned, channel))?.offset ?? 0;
    const { [channel]: _, ...others } = this.#offsets;
    this.#offsets = offset === undefined ? others : { ...others, [channel]: { configured, offset } };
    this.#deps.kept.saveNow(this.#offsetsKey, this.#offsets);
    this.#plan = withOffsets(this.#planned, this.#offsets);
    return offset ?? configured;
  }

  /** What is left to publish of a sample; undefined when nothing is. `channels` are the driver's own. */
  take(sample: Sample, channels: readonly Channel[], atMs: number): Sample | undefined {
    const processed = processSample(this.#plan, this.#state, sample, atMs);
    this.#state = processed.state;
    this.#save();
    this.#tellRejected(sample, processed.rejected, atMs);
    return processed.sample && publishedSample(processed.sample, this.channels(channels));
  }

  /** What was rejected counts no more. */
  clearFault(): void {
    this.#rejecting.clear();
    this.#state = withoutRejections(this.#plan, this.#state);
  }

  /** Channel -> since when it is rejected. */
  rejecting(): [string, number][] {
    return [...this.#rejecting].map(([channel, { sinceMs }]) => [channel, sinceMs]);
  }

  /** A spike that is thrown away is what the step is for; one that stays is somebody's business. */
  faults(): PartialFault[] {
    return [...this.#rejecting].flatMap(([channel, { step, value, reads }]) => {
      if (reads < REJECTED_READS) return [];
      return [{ code: "REJECTED", channel, message: `${channel} is rejected by \`${step}\` since it was ${value}` }];
    });
  }

  /** Each time that a channel begins to be rejected, and when it is taken again; not once a reading. */
  #tellRejected(sample: Sample, rejected: ReturnType<typeof processSample>["rejected"], atMs: number): void {
    const now = new Map(rejected.map((one) => [one.channel, one]));
    for (const [channel, { step, value }] of now) {
      const before = this.#rejecting.get(channel);
      if (!before) this.#deps.log.warn("values are rejected", { channel, step, value });
      this.#rejecting.set(channel, { step, value, sinceMs: atMs, ...before, reads: (before?.reads ?? 0) + 1 });
    }
    for (const channel of this.#rejecting.keys()) {
      if (now.has(channel) || !Object.hasOwn(sample.values, channel)) continue;
      this.#rejecting.delete(channel);
      this.#deps.log.info("values are taken again", { channel });
    }
  }

  #save(): void {
    if (Object.keys(this.#state.steps).length === 0) return;
    this.#deps.kept.save(this.#key, { signature: this.#signature, state: this.#state });
  }

  /** Only what these very steps left behind; another configuration begins anew. */
  #loaded(): ProcessState | undefined {
    const kept = this.#deps.kept.load(this.#key) as { signature?: string; state?: ProcessState } | undefined;
    return kept?.signature === this.#signature ? kept.state : undefined;
  }
}
