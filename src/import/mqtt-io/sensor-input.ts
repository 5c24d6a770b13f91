import type { Channel } from "../../core/device.ts";
import { quantityOf } from "../../core/quantity.ts";
import { nameForPeople } from "./draft.ts";
import type { Entry } from "./entry.ts";

/** What mqtt-io takes where none is named. */
const DEFAULT_INTERVAL_S = 60;
export const LONGEST_INTERVAL_S = 7 * 86_400;

export function intervalOf(input: Entry): number {
  const seconds = Math.round(input.number("interval") ?? DEFAULT_INTERVAL_S);
  return Math.max(1, seconds);
}

export function decimalsOf(input: Entry): number | undefined {
  const digits = input.number("digits");
  if (digits === undefined) return undefined;
  const kept = Math.min(9, Math.max(0, Math.round(digits)));
  if (kept !== digits) input.note(`${kept} in its place`, "digits");
  return kept;
}

/** What Home Assistant is told of the input: its name, and a note of what ours says otherwise. */
export function discovered(input: Entry, channel: Channel | undefined): string | undefined {
  const discovery = input.section("ha_discovery");
  const title = nameForPeople(discovery.text("name"));
  const deviceClass = discovery.text("device_class");
  const unit = discovery.text("unit_of_measurement");
  const ours = channel && {
    unit: channel.unit,
    class: channel.deviceClass ?? quantityOf(channel.quantity).deviceClass,
  };
  if (deviceClass !== undefined && deviceClass !== ours?.class) differs(discovery, "device_class", ours?.class);
  if (unit !== undefined && unit !== ours?.unit) differs(discovery, "unit_of_measurement", ours?.unit);
  discovery.without({
    expire_after: "a sensor that does not answer becomes unavailable by itself: see `offline_after`",
  });
  discovery.only("component", "sensor", "it is announced as a sensor");
  discovery.finish();
  return title;
}

function differs(discovery: Entry, key: string, ours: string | undefined): void {
  discovery.note(ours === undefined ? "ours has none" : `ours is ${ours}`, key);
}
