import { present } from "../../config/present.ts";
import type { Channel } from "../../core/device.ts";
import { channelsOf } from "../../drivers/driver.ts";
import { findDriver } from "../../drivers/registry.ts";
import { counterDraft, isCounter } from "./counters.ts";
import type { ChannelDraft, Ids, Outcome } from "./draft.ts";
import { type Entry, shown } from "./entry.ts";
import type { OldEntities } from "./old-entities.ts";
import { decimalsOf, discovered, intervalOf, LONGEST_INTERVAL_S } from "./sensor-input.ts";
import { leftOut, type SensorRule, sensorRules } from "./sensor-rules.ts";

/** A device of ours for each sensor module that inputs read: its inputs are the device's channels. */
export function sensorDrafts(root: Entry, ids: Ids, notes: string[], old: OldEntities): Outcome[] {
  const inputs = root.entries("sensor_inputs", () => []);
  const byModule = new Map<string, Entry[]>();
  for (const input of inputs) {
    const module = input.text("module") ?? "";
    byModule.set(module, [...(byModule.get(module) ?? []), input]);
  }
  const drafts: Outcome[] = [];
  for (const module of root.entries("sensor_modules", () => [])) {
    const name = module.text("name") ?? "";
    const own = byModule.get(name) ?? [];
    byModule.delete(name);
    drafts.push(...draftsOf(module, name, own, ids, old));
  }
  for (const input of [...byModule.values()].flat()) {
    input.note(`left out, as there is no sensor module ${shown(input.text("module") ?? "")}`);
    notes.push(...input.notes);
  }
  return drafts;
}

function draftsOf(module: Entry, name: string, inputs: readonly Entry[], ids: Ids, old: OldEntities): Outcome[] {
  const kind = module.text("module") ?? "";
  module.without({ cleanup: "not needed" });
  if (inputs.length > 0 && isCounter(kind)) return inputs.map((input) => counterDraft(kind, module, input, ids, old));
  const rule = Object.hasOwn(sensorRules, kind) ? sensorRules[kind] : undefined;
  const driver = rule?.driver(module);
  const why = inputs.length === 0 ? "no sensor input reads it" : leftOut[kind];
  if (inputs.length === 0 || rule === undefined || driver === undefined) {
    module.notes.length = 0;
    module.note(`left out: ${why ?? `there is no driver for ${shown(kind)}`}`);
    return [{ notes: module.notes }];
  }
  return [new SensorDevice(module, name, rule, driver, old).draft(inputs, ids)];
}

/** One sensor module on its way. */
class SensorDevice {
  readonly #module: Entry;
  readonly #name: string;
  readonly #rule: SensorRule;
  readonly #driver: string;
  readonly #old: OldEntities;
  readonly #options: Record<string, unknown>;
  readonly #channels: Record<string, ChannelDraft> = {};

  constructor(module: Entry, name: string, rule: SensorRule, driver: string, old: OldEntities) {
    this.#module = module;
    this.#name = name;
    this.#rule = rule;
    this.#driver = driver;
    this.#old = old;
    this.#options = { ...rule.options?.(module) };
    module.finish();
  }

  draft(inputs: readonly Entry[], ids: Ids): Outcome {
    const [only, ...others] = inputs;
    const isAlone = others.length === 0 && only !== undefined;
    const intervals = inputs.map((input) => intervalOf(input));
    const titles = inputs.map((input) => this.#take(input));
    const notes = [...this.#module.notes, ...inputs.flatMap((input) => input.notes)];
    const used = new Set(Object.keys(this.#channels));
    if (used.size === 0) return { notes };

    const chose = this.#rule.used?.(used, this.#options) ?? false;
    if (!chose) this.#disableOthers();
    const title = isAlone ? titles[0] : undefined;
    if (isAlone) for (const channel of Object.values(this.#channels)) delete channel.name;
    const channels = Object.entries(this.#channels).filter(([, settings]) => Object.keys(settings).length > 0);
    const device = {
      id: ids.idOf((isAlone ? only.text("name") : undefined) ?? this.#name),
      name: title,
      driver: this.#driver,
      ...this.#options,
      interval: `${this.#interval(intervals, notes)}s`,
      channels: channels.length > 0 ? Object.fromEntries(channels) : undefined,
    };
    return { device: present(device), notes };
  }

  /** An input's channels into the device's; the name for people that it has. */
  #take(input: Entry): string | undefined {
    // Topics here are made of ids: the name of an input is that of its device, or not needed.
    const name = input.text("name");
    const keys = this.#channelsOf(input);
    this.#rule.input?.(input, this.#options);
    const decimals = decimalsOf(input);
    const title = discovered(input, keys.length === 1 ? this.#facts(keys[0]) : undefined);
    input.without({ retain: "`state` is always retained, and `readings` never" });
    input.finish();
    for (const key of keys) {
      if (Object.hasOwn(this.#channels, key)) input.note(`${key} is read by an input before it already`);
      else this.#channels[key] = keys.length === 1 ? this.#only(name, title, decimals) : present({ decimals });
    }
    return title;
  }

  /** An input that is one channel was one entity. */
  #only(name: string | undefined, title: string | undefined, decimals: number | undefined): ChannelDraft {
    return present({ name: title, decimals, home_assistant: this.#old.of("sensor", name) });
  }

  #channelsOf(input: Entry): readonly string[] {
    const { types } = this.#rule;
    const wanted = typesOf(input, Object.keys(types)[0] ?? "");
    const keys = wanted.flatMap((type) => {
      const carried = Object.hasOwn(types, type) ? types[type] : undefined;
      if (carried === undefined) input.note(`left out: there is no ${shown(type)}`, "type");
      else if (carried.note) input.note(carried.note);
      return carried?.channels ?? [];
    });
    if (!this.#rule.channel) return [...new Set(keys)];
    const channel = this.#rule.channel(input);
    if (channel === undefined) input.note("left out: there is no such pin", "pin");
    return channel === undefined ? [] : [channel];
  }

  #facts(key: string | undefined): Channel | undefined {
    const table = findDriver(this.#driver)?.channels ?? {};
    return channelsOf(table).find((channel) => channel.key === key);
  }

  /** As there: what no input reads is not published. */
  #disableOthers(): void {
    const off = this.#options.gas === "off" ? ["gas_resistance"] : [];
    for (const key of Object.keys(findDriver(this.#driver)?.channels ?? {})) {
      if (!Object.hasOwn(this.#channels, key) && !off.includes(key)) this.#channels[key] = { enabled: false };
    }
  }

  #interval(intervals: readonly number[], notes: string[]): number {
    const shortest = Math.min(...intervals);
    const least = (findDriver(this.#driver)?.timing.minIntervalMs ?? 0) / 1000;
    const kept = Math.min(LONGEST_INTERVAL_S, Math.max(shortest, Math.ceil(least)));
    const where = this.#module.where;
    if (intervals.some((seconds) => seconds !== shortest)) {
      notes.push(`${where}: its inputs have several intervals; the device is read every ${kept}s, the shortest`);
    } else if (kept !== shortest) notes.push(`${where}: it is read every ${kept}s, in place of ${shortest}s`);
    return kept;
  }
}

/** One type, or with the MPU6050 a list of them. */
function typesOf(input: Entry, first: string): readonly string[] {
  const types = input.texts("type");
  return types.length > 0 ? types : [first];
}
