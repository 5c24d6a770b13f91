import { present } from "../../config/present.ts";
import type { Ids, Outcome } from "./draft.ts";
import { type Entry, shown } from "./entry.ts";

/** Modules whose pins are the Pi's own, by BCM number. */
const OWN_PINS = ["raspberrypi", "gpiozero", "gpiod"];
/** Expanders that we have as well, with so many pins; a PCF857x has pull-ups of its own, and no directions. */
const EXPANDERS: Readonly<Record<string, { readonly pins: number; readonly hasPulls: boolean }>> = {
  mcp23017: { pins: 16, hasPulls: true },
  pcf8574: { pins: 8, hasPulls: false },
  pcf8575: { pins: 16, hasPulls: false },
};

/** Where the pins of one GPIO module are. */
export interface PinModule {
  /** The expander's device; absent for the Pi's own pins. */
  readonly expander?: string;
  /** Of what the numbers go from 0 to. */
  readonly lastPin: number;
  /** What `pull` can be there. */
  readonly pulls: readonly ("up" | "down")[];
}

export interface PinModules {
  readonly byName: ReadonlyMap<string, PinModule>;
  /** The devices that the expanders are. */
  readonly expanders: readonly Outcome[];
}

/** The GPIO modules by their names; of those that we have nothing for it is said that they are left out. */
export function pinModules(root: Entry, ids: Ids): PinModules {
  const byName = new Map<string, PinModule>();
  const expanders: Outcome[] = [];
  for (const entry of root.entries("gpio_modules", () => [])) {
    const [name, kind] = [entry.text("name"), entry.text("module") ?? ""];
    entry.without({ cleanup: "what becomes of an output at a stop is its `at_stop`" });
    const known = Object.hasOwn(EXPANDERS, kind) ? EXPANDERS[kind] : undefined;
    if (name !== undefined && known !== undefined) {
      const outcome = expanderDraft(entry, kind, ids.idOf(name));
      expanders.push(outcome);
      byName.set(name, { expander: outcome.device.id, lastPin: known.pins - 1, pulls: known.hasPulls ? ["up"] : [] });
      continue;
    }
    if (name === undefined) entry.note("left out, as it has no name");
    else if (OWN_PINS.includes(kind)) byName.set(name, ownPins(entry));
    else entry.note(`${shown(kind)} is not carried over, nor what is on its pins`);
    expanders.push({ notes: entry.notes });
  }
  return { byName, expanders };
}

function expanderDraft(entry: Entry, driver: string, id: string) {
  const bus = entry.number("i2c_bus_num");
  const address = entry.number("chip_addr");
  entry.finish();
  const device = present({ id, driver, bus: bus === undefined || bus === 1 ? undefined : `i2c-${bus}`, address });
  return { device, notes: entry.notes };
}

function ownPins(entry: Entry): PinModule {
  const chip = entry.text("module") === "gpiod" ? entry.text("chip") : undefined;
  if (chip !== undefined && !/^(\/dev\/)?gpiochip0$/.test(chip)) {
    entry.note("the Pi's own chip is used, found by its label: see that the pins are BCM numbers", "chip");
  }
  entry.finish();
  return { lastPin: 53, pulls: ["up", "down"] };
}
