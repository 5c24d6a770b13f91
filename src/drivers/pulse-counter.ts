import { z } from "zod";
import type { Command } from "../core/command.ts";
import { GatewayError } from "../core/errors.ts";
import type { Sample } from "../core/reading.ts";
import type { Edge, GpioInput, Level } from "../hardware/gpio.ts";
import { type ChannelFacts, type DriverContext, gpioDriver, type Sensor, sampleOf } from "./driver.ts";
import { durationMs, pinNumber, pinPull } from "./options.ts";

const HOUR_MS = 3_600_000;
/** Edges are told this much later: a thousand a second then cost ten wakings, not a thousand. */
const BATCH_MS = 100;
/** Of a total that keeps growing. What `kill -9` may cost; a single pulse is kept at once. */
const KEEP_EVERY_MS = 1000;

/** What the rate of a meter is called: in which unit, over which time, and what it is to Home Assistant. */
const rates: Readonly<Record<string, { unit: string; perMs: number; deviceClass?: string }>> = {
  L: { unit: "L/min", perMs: 60_000, deviceClass: "volume_flow_rate" },
  "m³": { unit: "m³/h", perMs: HOUR_MS, deviceClass: "volume_flow_rate" },
  kWh: { unit: "kW", perMs: HOUR_MS, deviceClass: "power" },
  Wh: { unit: "W", perMs: HOUR_MS, deviceClass: "power" },
  mm: { unit: "mm/h", perMs: HOUR_MS, deviceClass: "precipitation_intensity" },
};

const edgesLost = {
  code: "EDGES_LOST",
  channel: "total",
  message: "edges of the pin were lost: the total may be wrong until it is set to what the meter shows",
};

export const pulseCounter = gpioDriver({
  name: "pulse-counter",
  title: "Pulses on a GPIO pin: water, gas and electricity meters, flow and rain gauges",
  options: {
    pin: pinNumber().describe("BCM number of the pin"),
    per_pulse: z.number().positive().default(1).describe("What one pulse stands for, in `unit`"),
    unit: z
      .string()
      .min(1)
      .max(16)
      .optional()
      .describe("Unit of the total: `L`, `m³`, `kWh`; without it pulses are counted"),
    device_class: z
      .enum(["water", "gas", "energy", "volume", "precipitation"])
      .optional()
      .describe("What the total is to Home Assistant"),
    debounce: durationMs({ maxMs: 10_000 })
      .prefault("5ms")
      .describe("A pulse counts if the pin was quiet for this long before it; `0` for fast counters"),
    pull: pinPull().optional().describe("Pull resistor inside the Pi; by default it is left as it is"),
    invert: z.boolean().default(false).describe("Count falling edges: a contact to ground with a pull-up"),
  },
  channels: channelsFor({}),
  channelsFor,
  timing: { minIntervalMs: 1000, expectedMs: 50 },
  notes:
    "The total outlives restarts at once and power cuts within `store.commit_window`; what passed while nobody counted is not in " +
    "it. With libgpiod's tools (package `gpiod`) edges carry the kernel's time, and none is missed while the kernel's buffer " +
    "of 16 has room; without them sysfs misses short pulses. Where a loss is seen (two edges to one level in a row, fewer edges " +
    "than the kernel counted interrupts, or the tool died), `losses` counts it, `health` tells it (`EDGES_LOST`), and the total is " +
    "`estimated` until it is set from the meter: by its number on " +
    "`<dev>/total/set`, or in Home Assistant, which takes a jump up for consumption (its developer tools correct that). The count of " +
    "interrupts is compared at each reading, and where edges never pause for long after some readings.",

  async open(gpio, { pin, per_pulse: perPulse, unit, debounce, pull, invert }, context) {
    const input = await gpio.input(pin, { kernelTime: true, batchMs: BATCH_MS, ...(pull && { pull }) });
    const rules = { counted: invert ? 0 : 1, quietMs: debounce, level: await input.level() } as const;
    const total = new Total({ perPulse, unit: unit ?? "" }, context);
    return counterSensor(input, new Pulses(rules), total, rates[unit ?? ""] ?? slowRate(unit));
  },
});

function channelsFor({
  unit,
  device_class: deviceClass,
}: {
  unit?: string | undefined;
  device_class?: string | undefined;
}) {
  const total: ChannelFacts = { quantity: "count", title: "Total", min: 0, settable: "meter" };
  const rate = rates[unit ?? ""] ?? slowRate(unit);
  const { deviceClass: rateClass } = rate;
  return {
    total: { ...total, ...(unit && { unit, decimals: 3 }), ...(deviceClass && { deviceClass }) },
    rate: {
      quantity: unit ? "number" : "frequency",
      title: "Rate",
      unit: rate.unit,
      decimals: 3,
      min: 0,
      ...(rateClass && { deviceClass: rateClass }),
    },
    losses: { quantity: "count", title: "Losses", diagnostic: true },
  } as const satisfies Record<string, ChannelFacts>;
}

function slowRate(unit: string | undefined): { unit: string; perMs: number; deviceClass?: string } {
  return unit ? { unit: `${unit}/h`, perMs: HOUR_MS } : { unit: "Hz", perMs: 1000 };
}

function counterSensor(input: GpioInput, pulses: Pulses, total: Total, rate: { readonly perMs: number }): Sensor {
  let losses = 0;
  const seeLosses = () => {
    if (input.losses === losses) return;
    losses = input.losses;
    total.doubt();
  };
  input.onEdge((edge) => {
    const counted = pulses.take(edge);
    seeLosses();
    if (counted) total.add();
  });
  const sample = () => {
    const values = {
      total: total.value,
      rate: pulses.perMs(total.nowMs) * total.perPulse * rate.perMs,
      losses,
    };
    return sampleOf(values, total.isDoubted ? { total: "estimated" } : undefined);
  };
  let emit: (sample: Sample) => void = () => undefined;
  return {
    async read() {
      // A pin that fails must not look like a meter at rest.
      await input.level();
      seeLosses();
      return sample();
    },
    faults: () => (total.isDoubted ? [edgesLost] : []),
    watch(listener) {
      emit = listener;
    },
    async command(_channel, command) {
      total.set(meterShows(command));
      emit(sample());
    },
    async close() {
      await input[Symbol.asyncDispose]();
      total.close();
    },
  };
}

function meterShows({ value, forMs }: Command): number {
  if (value !== undefined && forMs === undefined && value >= 0 && value <= Number.MAX_SAFE_INTEGER) return value;
  throw new GatewayError("COMMAND_REFUSED", "the total takes a number from 0 on, what the meter shows, and no time");
}

/** Which edges are pulses, and how fast they come. */
class Pulses {
  readonly #counted: Level;
  readonly #quietMs: number;
  #level: Level;
  #edgeMs = Number.NEGATIVE_INFINITY;
  #pulseMs: number | undefined;
  /** Where the time of the rate begins, and the pulses since. */
  #sinceMs: number | undefined;
  #sinceCount = 0;
  #perMs = 0;

  constructor(rules: { readonly counted: Level; readonly quietMs: number; readonly level: Level }) {
    this.#counted = rules.counted;
    this.#quietMs = rules.quietMs;
    this.#level = rules.level;
  }

  /**
   * True for a pulse. A contact bounces when it closes and when it opens: only quiet before tells a pulse from either. Two
   * edges to one level in a row had one between them; going to the counted level, if it is not this one.
   */
  take({ level, monoMs }: Edge): boolean {
    const wasQuiet = monoMs - this.#edgeMs >= this.#quietMs;
    const isPulse = (level === this.#counted || level === this.#level) && wasQuiet;
    this.#edgeMs = monoMs;
    this.#level = level;
    if (!isPulse) return false;
    this.#pulseMs = monoMs;
    if (this.#sinceMs === undefined) this.#sinceMs = monoMs;
    else this.#sinceCount++;
    return true;
  }

  /** Pulses a millisecond, over whole pulses since the last look. Without any it is what the silence still allows. */
  perMs(nowMs: number): number {
    if (this.#pulseMs === undefined || this.#sinceMs === undefined) return 0;
    if (this.#sinceCount > 0 && this.#pulseMs > this.#sinceMs) {
      this.#perMs = this.#sinceCount / (this.#pulseMs - this.#sinceMs);
      this.#sinceMs = this.#pulseMs;
      this.#sinceCount = 0;
      return this.#perMs;
    }
    const silentMs = nowMs - this.#pulseMs;
    return silentMs > 0 ? Math.min(this.#perMs, 1 / silentMs) : this.#perMs;
  }
}

const kept = z.object({
  unit: z.string(),
  perPulse: z.number().positive(),
  /** What was there before the pulses. */
  base: z.number().min(0),
  pulses: z.int().min(0),
  doubted: z.boolean(),
});

/** What the meter shows. Counted in pulses, so that thousands of small steps do not round. */
class Total {
  readonly #context: DriverContext;
  readonly #stop = new AbortController();
  #state: z.output<typeof kept>;
  #keptMs = Number.NEGATIVE_INFINITY;
  #isWaiting = false;

  constructor({ perPulse, unit }: { perPulse: number; unit: string }, context: DriverContext) {
    this.#context = context;
    const before = restored(context.memory.load());
    this.#state = { unit, perPulse, base: 0, pulses: 0, doubted: false };
    // In another unit it is another meter.
    if (before?.unit === unit) {
      this.#state = { ...before, perPulse };
      if (before.perPulse !== perPulse) Object.assign(this.#state, { base: meterReading(before), pulses: 0 });
    }
  }

  get value(): number {
    return meterReading(this.#state);
  }

  get perPulse(): number {
    return this.#state.perPulse;
  }

  get isDoubted(): boolean {
    return this.#state.doubted;
  }

  get nowMs(): number {
    return this.#context.clock.monoMs();
  }

  add(): void {
    this.#state.pulses++;
    this.#keepSoon();
  }

  doubt(): void {
    this.#state.doubted = true;
    this.#keepSoon();
  }

  set(value: number): void {
    Object.assign(this.#state, { base: value, pulses: 0, doubted: false });
    this.#keep();
  }

  close(): void {
    this.#stop.abort(new Error("closed"));
    if (this.#isWaiting) this.#keep();
  }

  #keepSoon(): void {
    const waitMs = this.#keptMs + KEEP_EVERY_MS - this.nowMs;
    if (this.#isWaiting) return;
    if (waitMs <= 0) {
      this.#keep();
      return;
    }
    this.#isWaiting = true;
    const keep = () => this.#keep();
    this.#context.clock.sleep(waitMs, this.#stop.signal).then(keep, () => undefined);
  }

  #keep(): void {
    this.#isWaiting = false;
    this.#keptMs = this.nowMs;
    this.#context.memory.save(JSON.stringify(this.#state), "soon");
  }
}

function meterReading({ base, pulses, perPulse }: z.output<typeof kept>): number {
  return base + pulses * perPulse;
}

function restored(text: string | undefined): z.output<typeof kept> | undefined {
  try {
    return text === undefined ? undefined : kept.safeParse(JSON.parse(text)).data;
  } catch {
    // Written by something else: as good as nothing.
    return undefined;
  }
}
