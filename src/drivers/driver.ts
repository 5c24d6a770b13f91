import type { z } from "zod";
import type { Clock } from "../core/clock.ts";
import type { Command } from "../core/command.ts";
import type { Channel, PartialFault, Settable } from "../core/device.ts";
import type { SensorEvent } from "../core/event.ts";
import { type QuantityName, quantityOf } from "../core/quantity.ts";
import type { Quality, Sample, Value } from "../core/reading.ts";
import type { Expander } from "../hardware/expander/expander.ts";
import type { FileWrite, KernelFiles } from "../hardware/files.ts";
import type { Pins, Pull } from "../hardware/gpio.ts";
import type { I2cDevice } from "../hardware/i2c.ts";
import type { Pwm } from "../hardware/pwm.ts";
import type { Interlocks } from "./interlock.ts";

/**
 * A driver is one file: what the chip is, which options and channels it has, how long it takes, and how its bytes become
 * values. The registry lists the drivers; configuration, reference, discovery, `scan` and tests derive from these facts.
 *
 * A driver throws GatewayErrors and never logs; it does not retry, schedule or watch deadlines: the sampler does. A value
 * outside a channel's `min` and `max` is dropped there as a fault, so these say what the chip can measure, and no less.
 *
 * To add one: this file's shape in `drivers/NAME.ts` (start from sht4x.ts), a line in the registry, the chip in
 * `hardware/simulated/chips` or its files in `trees`, and the datasheet's figures in `test/fixtures/chip-vectors.json`.
 * test/drivers/every-driver.test.ts then opens, reads, unplugs and garbles it like all the others.
 */
export type Driver = I2cDriver | FilesDriver | GpioDriver | PwmDriver | ExpanderDriver | PlannedDriver;

export interface DriverFacts {
  /** As in `driver:` of the configuration. */
  readonly name: string;
  /** Other names that people write for it: `sht31`, `dht22`. */
  readonly aliases?: readonly string[];
  /** One line for the list of drivers: `Sensirion SHT40, SHT41, SHT43 and SHT45: temperature and humidity`. */
  readonly title: string;
  readonly manufacturer?: string;
  readonly model?: string;
  /** The driver's own options, beside those that every device has. Each with `.describe()`. */
  readonly options: z.ZodRawShape;
  /** Channels known without looking; a generic driver finds its own when it opens. */
  readonly channels: ChannelTable;
  readonly timing: Timing;
  /** Channels that are finer than their own noise, so that one which stands still is broken (see `stuck_after`). */
  readonly noisy?: readonly string[];
  /** Where options decide about channels (a meter's unit, a contact's device class): takes the place of `channels`. */
  channelsFor?(options: Options): ChannelTable;
  /** What `check` tells about options that are valid and still surprise. */
  notices?(options: Options): string[];
  /** Notes for the reference: variants, traps, what outlives what. */
  readonly notes?: string;
}

export interface Timing {
  /** The chip's fastest sensible rate: `interval` below it is refused by `check`. */
  readonly minIntervalMs: number;
  /** What one read is expected to take at most; the sampler's deadline derives from it. */
  readonly expectedMs: number;
  /** The deadline itself, where a read may have to wait for those of other devices. */
  readonly deadlineMs?: number;
  /** Where the common default interval does not fit. */
  readonly defaultIntervalMs?: number;
}

/** Key -> facts. What is not said here comes from the quantity. */
export type ChannelTable = Readonly<Record<string, ChannelFacts>>;

export interface ChannelFacts {
  readonly quantity: QuantityName;
  readonly title?: string;
  readonly unit?: string;
  readonly decimals?: number;
  readonly min?: number;
  readonly max?: number;
  readonly deviceClass?: string;
  readonly diagnostic?: true;
  /** Takes commands. */
  readonly settable?: Settable;
  /** It has no values, but events of these types. Of the quantity `event`. */
  readonly eventTypes?: readonly string[];
}

/** Time, and what the driver keeps of this device over restarts: of the world, nothing else. */
export interface DriverContext {
  readonly clock: Clock;
  readonly memory: DriverMemory;
  /** For outputs; left out where one look is all that is wanted. */
  readonly outputs?: OutputSurroundings;
}

/** What an output must know of the world around it. */
export interface OutputSurroundings {
  readonly interlocks: Interlocks;
  /** Monotonic milliseconds at which a controller was there for the last time: now, while there is one. */
  controllerSeenMs(): number;
  /** An output changed without a command. */
  switched(to: boolean | number, cause: string): void;
  /** What is left to make it safe if this process ends now. */
  ifKilled(todo: AfterDeath): void;
}

/** A file to write, or a driver to open, which takes long to load. */
export type AfterDeath = FileWrite | "open" | "nothing";

/** One text for one device: a baseline that takes hours to learn. Use `keptValue` on it. */
export interface DriverMemory {
  load(): string | undefined;
  /** It outlives the process at once; power cuts within the commit window (`soon`), or within minutes. */
  save(text: string, urgency?: "soon" | "eventually"): void;
}

/** What turned out to be there, for Home Assistant's device page. */
export interface Identity {
  readonly model?: string;
  readonly serial?: string;
}

/** An opened device. */
export interface Sensor extends Identity {
  /** Channels found at opening; absent where the driver's own table says it all. */
  readonly channels?: ChannelTable;
  /** One look. Rejects with a GatewayError; rejects with the signal's reason when it is given up. */
  read(signal: AbortSignal): Promise<Sample>;
  /** For inputs that report by themselves: calls `emit` on each change until `close`. `read` still works. */
  watch?(emit: (sample: Sample) => void): void;
  /** For buttons and knobs: calls `tell` when something happens, until `close`. */
  onEvent?(tell: (event: SensorEvent) => void): void;
  /** For outputs and meters: rejects with the GatewayError that kept it from being carried out. */
  command?(channel: string, command: Command): Promise<void>;
  /** What is wrong though values come; the sentences do not change while it lasts. */
  faults?(): readonly PartialFault[];
  close?(): Promise<void>;
}

export interface I2cDriver extends DriverFacts {
  readonly port: "i2c";
  /** Addresses the chip can have, the factory's first. */
  readonly addresses: readonly [number, ...number[]];
  /**
   * Asks who is there and changes nothing: all that `scan` does, and what `i2cDriver` does before it opens.
   * CHIP_MISMATCH where something else answers. Left out where the chip cannot be told from others.
   */
  identify?(chip: I2cDevice, context: DriverContext): Promise<Identity>;
  /** The chip has no id: what `identify` sees, another chip could show, too. To `scan` it is a guess. */
  readonly weakIdentity?: true;
  /** Configures the chip. */
  open(chip: I2cDevice, options: Options, context: DriverContext): Promise<Sensor>;
}

/** A chip that the kernel reads for us, or the machine itself. */
export interface FilesDriver extends DriverFacts {
  readonly port: "files";
  /** The devices of this kind that the kernel shows, for `scan`. */
  find?(files: KernelFiles): Promise<readonly Found[]>;
  open(files: KernelFiles, options: Options, context: DriverContext): Promise<Sensor>;
}

/** A device that `scan` found, and the options that select it. */
export interface Found {
  readonly title: string;
  readonly options: Readonly<Record<string, string>>;
}

export interface GpioDriver extends DriverFacts {
  readonly port: "gpio";
  open(gpio: Pins, options: Options, context: DriverContext): Promise<Sensor>;
}

/** A chip on I2C whose pins other devices use. */
export interface ExpanderDriver extends DriverFacts {
  readonly port: "expander";
  readonly addresses: readonly [number, ...number[]];
  /** Its pins are 0 to `lines` - 1. */
  readonly lines: number;
  /** What `pull` of an input can be. */
  readonly pulls: readonly Pull[];
  open(chip: Pick<Expander, "check" | "resets">, options: Options, context: DriverContext): Promise<Sensor>;
}

export interface PwmDriver extends DriverFacts {
  readonly port: "pwm";
  open(pwm: Pwm, options: Options, context: DriverContext): Promise<Sensor>;
}

/** Its configuration is checked today; its machinery comes later. `check` says so and `run` leaves it out. */
export interface PlannedDriver extends DriverFacts {
  readonly port: "planned";
}

// biome-ignore lint/suspicious/noExplicitAny: each driver parses its own options; `defineX` below types them where it matters
export type Options = any;

type Parsed<Shape extends z.ZodRawShape> = z.output<z.ZodObject<Shape>>;

type Defined<D extends Driver, Shape extends z.ZodRawShape> = Omit<
  D,
  "port" | "options" | "open" | "channelsFor" | "notices"
> & {
  readonly options: Shape;
  readonly channelsFor?: (options: Parsed<Shape>) => ChannelTable;
  readonly notices?: (options: Parsed<Shape>) => string[];
};

type Open<Port, Shape extends z.ZodRawShape> = (
  port: Port,
  options: Parsed<Shape>,
  context: DriverContext,
) => Promise<Sensor>;

/** Ties the options' types to `open`, and lets nothing be opened that is not what it should be. */
export function i2cDriver<Shape extends z.ZodRawShape>(
  driver: Defined<I2cDriver, Shape> & { readonly open: Open<I2cDevice, Shape> },
): I2cDriver {
  const open: I2cDriver["open"] = async (chip, options, context) => {
    const identity = await driver.identify?.(chip, context);
    const sensor = await driver.open(chip, options, context);
    return { ...identity, ...sensor, read: (signal) => unlessAborted(sensor.read(signal), signal) };
  };
  return { ...driver, port: "i2c", open };
}

/** Chips that answer at once never look at the signal. */
async function unlessAborted(reading: Promise<Sample>, signal: AbortSignal): Promise<Sample> {
  const sample = await reading;
  signal.throwIfAborted();
  return sample;
}

export function filesDriver<Shape extends z.ZodRawShape>(
  driver: Defined<FilesDriver, Shape> & { readonly open: Open<KernelFiles, Shape> },
): FilesDriver {
  return { ...driver, port: "files" };
}

export function gpioDriver<Shape extends z.ZodRawShape>(
  driver: Defined<GpioDriver, Shape> & { readonly open: Open<Pins, Shape> },
): GpioDriver {
  return { ...driver, port: "gpio" };
}

export function expanderDriver<Shape extends z.ZodRawShape>(
  driver: Defined<ExpanderDriver, Shape> & { readonly open: Open<Pick<Expander, "check" | "resets">, Shape> },
): ExpanderDriver {
  return { ...driver, port: "expander" };
}

export function isOnI2c(driver: Driver): driver is I2cDriver | ExpanderDriver {
  return driver.port === "i2c" || driver.port === "expander";
}

export function pwmDriver<Shape extends z.ZodRawShape>(
  driver: Defined<PwmDriver, Shape> & { readonly open: Open<Pwm, Shape> },
): PwmDriver {
  return { ...driver, port: "pwm" };
}

export function plannedDriver<Shape extends z.ZodRawShape>(driver: Defined<PlannedDriver, Shape>): PlannedDriver {
  return { ...driver, port: "planned" };
}

/** Does opening it drive something? */
export function isOutput(driver: Driver, options: Options): boolean {
  return configuredChannels(driver, options).some(({ settable }) => settable === "switch" || settable === "level");
}

/** The channels that a device has by its configuration, before it was opened. */
export function configuredChannels(driver: Driver, options: Options): Channel[] {
  return channelsOf(driver.channelsFor?.(options) ?? driver.channels);
}

/** The channels as everybody after the driver sees them. */
export function channelsOf(table: ChannelTable): Channel[] {
  return Object.entries(table).map(([key, facts]) => {
    const quantity = quantityOf(facts.quantity);
    const unit = facts.unit ?? quantity.unit;
    const { title = quantity.title, decimals = quantity.decimals } = facts;
    return { ...facts, key, title, decimals, ...(unit !== undefined && { unit }) };
  });
}

/** A sample of the channels that have data: `undefined` means none, and is left out. */
export function sampleOf(
  values: Readonly<Record<string, Value | undefined>>,
  quality?: Readonly<Record<string, Quality>>,
): Sample {
  const present = Object.entries(values).filter((entry): entry is [string, Value] => entry[1] !== undefined);
  return { values: Object.fromEntries(present), ...(quality && { quality }) };
}
