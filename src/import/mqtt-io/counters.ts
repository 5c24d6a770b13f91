import { present } from "../../config/present.ts";
import type { Ids, Outcome } from "./draft.ts";
import type { Entry } from "./entry.ts";
import type { OldEntities } from "./old-entities.ts";
import { decimalsOf, discovered, intervalOf, LONGEST_INTERVAL_S } from "./sensor-input.ts";

/** A YF-S201 gives 7 Hz at a litre a minute (its data sheet, and mqtt-io's yfs201.py). */
const YF_S201_FACTOR = 7;
const KINDS = ["flowsensor", "frequencycounter", "yfs201"];

export const isCounter = (kind: string): boolean => KINDS.includes(kind);

/** Modules whose inputs each count the pulses of a pin of their own. */
export function counterDraft(kind: string, module: Entry, input: Entry, ids: Ids, old: OldEntities): Outcome {
  const pin = input.number("pin");
  const factor = kind === "flowsensor" ? input.number("factor") : YF_S201_FACTOR;
  const isFlow = kind !== "frequencycounter" && factor !== 1;
  const litres = isFlow && factor !== undefined && factor > 0 ? 1 / (factor * 60) : undefined;
  const decimals = decimalsOf(input);
  const interval = `${Math.min(intervalOf(input), LONGEST_INTERVAL_S)}s`;
  input.without({ type: "", retain: "`state` is always retained, and `readings` never" });
  const title = discovered(input, undefined);
  input.finish();
  module.finish();
  const notes = [...module.notes, ...input.notes];
  if (pin === undefined || (isFlow && litres === undefined)) {
    return {
      notes: [...notes, `${input.where}: left out without \`pin\` or \`factor\``],
    };
  }
  const rate = present({ decimals, home_assistant: old.of("sensor", input.text("name")) });
  const device = {
    id: ids.idOf(input.text("name") ?? kind),
    name: title,
    driver: "pulse-counter",
    pin,
    // gpiozero pulls the pins of its inputs down.
    pull: "down",
    debounce: "0",
    ...(litres !== undefined && { per_pulse: Number(litres.toPrecision(9)), unit: "L", device_class: "water" }),
    interval,
    channels: Object.keys(rate).length > 0 ? { rate } : undefined,
  };
  return { device: present(device), notes };
}
