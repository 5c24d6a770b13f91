import { present } from "../../config/present.ts";
import { binaryDeviceClasses } from "../../core/binary-classes.ts";
import { type Ids, nameForPeople, type Outcome } from "./draft.ts";
import { type Entry, shown } from "./entry.ts";
import type { OldEntities } from "./old-entities.ts";
import type { PinModule } from "./pin-modules.ts";

const OUTPUT_CLASSES = ["outlet", "switch"];
const LONGEST_DEBOUNCE_MS = 10_000;
const WEEK_MS = 7 * 86_400_000;
/** What mqtt-io asks of an interrupt that says nothing else. */
const DEFAULT_BOUNCE_MS = 100;

/** For an entry whose module is not known, so that its other keys are looked at all the same. */
const OWN: PinModule = { lastPin: 53, pulls: ["up", "down"] };

const PAYLOADS = "a state is `on` or `off`, and a command `on`, `off` or `toggle`";
const common = {
  on_payload: PAYLOADS,
  off_payload: PAYLOADS,
  retain: "`state` is always retained, and `readings` never",
};

export function inputDrafts(root: Entry, modules: Modules, ids: Ids, old: OldEntities): Outcome[] {
  return root.entries("digital_inputs", () => []).map((entry) => pinDraft(entry, modules, ids, old, inputOptions));
}

export function outputDrafts(root: Entry, modules: Modules, ids: Ids, old: OldEntities): Outcome[] {
  return root.entries("digital_outputs", () => []).map((entry) => pinDraft(entry, modules, ids, old, outputOptions));
}

type Modules = ReadonlyMap<string, PinModule>;
type Options = Record<string, unknown> & { readonly driver: string };

function pinDraft(
  entry: Entry,
  modules: Modules,
  ids: Ids,
  old: OldEntities,
  optionsOf: (entry: Entry, module: PinModule | undefined) => Options,
): Outcome {
  const name = entry.text("name") ?? "pin";
  const named = entry.text("module");
  const module = modules.get(named ?? "");
  const pin = pinOf(entry, module);
  const discovery = entry.section("ha_discovery");
  const title = nameForPeople(discovery.text("name"));
  const { driver, ...options } = optionsOf(entry, module);
  const deviceClass = classOf(discovery, driver);
  if (module === undefined || pin === undefined) return left(entry, module === undefined ? named : undefined);
  const component = driver === "digital-input" ? "binary_sensor" : "switch";
  discovery.only("component", component, `it is announced as a ${component}`);
  discovery.finish();
  entry.finish();
  const device = { id: ids.idOf(name), ...(title && { name: title }), driver, pin, ...options };
  const entity = old.of(driver === "digital-input" ? "input" : "output", entry.text("name"));
  const channels = entity && { state: { home_assistant: entity } };
  return { device: present({ ...device, device_class: deviceClass, channels }), notes: entry.notes };
}

/** Its notes are dropped for the one that says why it is not there at all. */
function left(entry: Entry, module: string | undefined): Outcome {
  const own = entry.notes.filter((note) => note.includes(".pin: "));
  entry.notes.length = 0;
  const why = module === undefined ? "it is left out" : `left out, as the module ${shown(module)} is not carried over`;
  entry.notes.push(...own);
  entry.note(why);
  return { notes: entry.notes };
}

/** `17`, and `"17"`, `GPIO17` and `BCM17` as gpiozero has them; of an expander, its device as well. */
function pinOf(
  entry: Entry,
  { lastPin, expander }: PinModule = OWN,
): number | { expander: string; pin: number } | undefined {
  const written = entry.text("pin");
  const [, digits] = /^(?:GPIO|BCM)?(\d{1,2})$/i.exec(written ?? "") ?? [];
  if (digits === undefined || Number(digits) > lastPin) {
    if (written !== undefined) entry.note(`${shown(written)} is no pin from 0 to ${lastPin}`, "pin");
    return undefined;
  }
  return expander === undefined ? Number(digits) : { expander, pin: Number(digits) };
}

function classOf(discovery: Entry, driver: string): string | undefined {
  const written = discovery.text("device_class");
  const known: readonly string[] = driver === "digital-input" ? binaryDeviceClasses : OUTPUT_CLASSES;
  if (written === undefined || known.includes(written)) return written;
  discovery.note(`${shown(written)} is not one that a ${driver} can have`, "device_class");
  return undefined;
}

function inputOptions(entry: Entry, { pulls, expander }: PinModule = OWN): Options {
  const edge = entry.text("interrupt");
  const bounceMs = entry.number("bouncetime") ?? (edge === undefined ? undefined : DEFAULT_BOUNCE_MS);
  const [up, down] = [entry.boolean("pullup"), entry.boolean("pulldown")];
  if (up && down) entry.note("both pull-up and pull-down: the pull-up is taken");
  const wanted = up ? "up" : down ? "down" : undefined;
  const pull = pulls.find((one) => one === wanted);
  if (wanted === "down" && pull === undefined) entry.note(`${expander ?? "it"} has no pull-downs`, "pulldown");
  if (edge === "rising" || edge === "falling") entry.note("both edges are sent", "interrupt");
  entry.without({
    ...common,
    interrupt_for:
      "not carried over: to hear of an expander's changes at once, name this pin as its `interrupt_pin` instead",
    poll_when_interrupt_for: "not needed",
    poll_interval: "not needed: changes are sent as they happen",
  });
  return {
    driver: "digital-input",
    ...(pull && { pull }),
    ...(entry.boolean("inverted") && { invert: true }),
    ...(bounceMs !== undefined && { debounce: millis(entry, "bouncetime", bounceMs, 0, LONGEST_DEBOUNCE_MS) }),
  };
}

function outputOptions(entry: Entry): Options {
  const isInverted = entry.boolean("inverted") ?? false;
  const initial = entry.text("initial");
  const timedMs = entry.number("timed_set_ms");
  const isOnAtStart = initial !== undefined && (initial === "high") !== isInverted;
  if (isOnAtStart) {
    entry.note("it is `safe_state`, in which the output is also at a stop and without a controller", "initial");
  } else if (initial === undefined) {
    entry.note("driven to its safe state, off, at each start: there, without `initial`, it stayed as it was");
  }
  if (timedMs !== undefined) {
    entry.note("it is `on_for`: back to the safe state after this long", "timed_set_ms");
  }
  entry.without({ ...common, publish_initial: "the state is always published" });
  return {
    driver: "digital-output",
    ...(isOnAtStart && { safe_state: "on" }),
    ...(isInverted && { invert: true }),
    ...(timedMs !== undefined && { on_for: millis(entry, "timed_set_ms", timedMs, 10, WEEK_MS) }),
  };
}

function millis(entry: Entry, key: string, written: number, min: number, max: number): string {
  const kept = Math.min(max, Math.max(min, Math.round(written)));
  if (kept !== written) entry.note(`${kept}ms in its place`, key);
  return `${kept}ms`;
}
