import { quantityOf } from "../../core/quantity.ts";
import type { ChannelTable, Driver } from "../../drivers/driver.ts";
import { parseExpression } from "../../processing/expression/parse.ts";
import { allNames } from "../../processing/expression/syntax.ts";
import { isMapping, type Path } from "../paths.ts";
import { errorAt, type Finding } from "../problems.ts";
import { didYouMean } from "../suggest.ts";

/** What stands under a device's `channels` and `computed`, held against the channels that its driver has. */
export function channelFindings(
  path: Path,
  device: Readonly<Record<string, unknown>>,
  driver: Driver | undefined,
): Finding[] {
  const settings = isMapping(device.channels) ? device.channels : {};
  const computed = isMapping(device.computed) ? device.computed : {};
  // Some drivers find their channels, or further ones, only when they open: nothing can be said of theirs.
  const table = driver && !driver.channelsFor && Object.keys(driver.channels).length > 0 ? driver.channels : undefined;
  if (!driver || !table) return [];
  const known = [...Object.keys(table), ...Object.entries(settings).flatMap(windowChannels), ...Object.keys(computed)];
  return [
    ...unknownChannels([...path, "channels"], settings, driver, known),
    ...stepsWithoutNumbers([...path, "channels"], settings, table),
    ...takenKeys([...path, "computed"], computed, driver, table),
    ...keysOfControls([...path, "computed"], settings, computed, table),
    ...unknownNames(path, settings, computed, known),
  ];
}

function unknownChannels(path: Path, settings: object, driver: Driver, known: readonly string[]): Finding[] {
  return Object.keys(settings)
    .filter((key) => !known.includes(key))
    .map((key) => ({
      severity: "warning",
      message: `a ${driver.name} has no channel \`${key.slice(0, 64)}\`${didYouMean(key, known) || `; there is ${known.join(", ")}`}`,
      at: { path: [...path, key], part: "key" },
    }));
}

function stepsWithoutNumbers(path: Path, settings: object, table: ChannelTable): Finding[] {
  return Object.entries(settings).flatMap(([key, channel]): Finding[] => {
    const facts = table[key];
    if (!facts || quantityOf(facts.quantity).kind === "number" || stepsOf(channel).length === 0) return [];
    const message = `${key} is no number: these steps leave it as it is`;
    return [{ severity: "warning", message, at: { path: [...path, key, "process"], part: "key" } }];
  });
}

function takenKeys(path: Path, computed: object, driver: Driver, table: ChannelTable): Finding[] {
  return Object.keys(computed)
    .filter((key) => Object.hasOwn(table, key))
    .map((key) => errorAt([...path, key], `a ${driver.name} has a channel ${key} of its own: choose another key`));
}

/** What Home Assistant gets beside the channels has keys, too. */
function keysOfControls(path: Path, settings: object, computed: object, table: ChannelTable): Finding[] {
  const meters = Object.entries(table).flatMap(([key, { settable }]) => (settable === "meter" ? [`${key}_set`] : []));
  const offsets = [...Object.entries(settings), ...Object.entries(computed)].flatMap(([key, channel]) =>
    stepsOf(channel).some(isAdjustable) ? [`${key}_offset`] : [],
  );
  const taken = ["clear_fault", ...meters, ...offsets];
  return Object.keys(computed)
    .filter((key) => taken.includes(key))
    .map((key) => errorAt([...path, key], `Home Assistant has a control ${key} of this device: choose another key`));
}

function isAdjustable(step: unknown): boolean {
  return isMapping(step) && isMapping(step.calibrate) && step.calibrate.adjustable !== undefined;
}

function unknownNames(path: Path, settings: object, computed: object, known: readonly string[]): Finding[] {
  const inSteps = Object.entries(settings).flatMap(([key, channel]) =>
    formulasIn([...path, "channels", key, "process"], channel, ["value"]),
  );
  const inComputed = Object.entries(computed).flatMap(([key, channel]) => [
    ...(isMapping(channel) ? [{ text: channel.formula, at: [...path, "computed", key, "formula"], own: [] }] : []),
    ...formulasIn([...path, "computed", key, "process"], channel, ["value"]),
  ]);
  return [...inSteps, ...inComputed].flatMap(({ text, at, own }) =>
    namesOf(text)
      .filter((name) => !known.includes(name) && !own.includes(name))
      .map((name) =>
        errorAt(at, `there is no channel \`${name}\`${didYouMean(name, known) || `; there is ${known.join(", ")}`}`),
      ),
  );
}

interface Written {
  readonly text: unknown;
  readonly at: Path;
  /** Names that mean something here alone. */
  readonly own: readonly string[];
}

function formulasIn(path: Path, channel: unknown, own: readonly string[]): Written[] {
  return stepsOf(channel).flatMap((step, index) =>
    isMapping(step) && "formula" in step ? [{ text: step.formula, at: [...path, index, "formula"], own }] : [],
  );
}

/** A formula that cannot be read is the schema's to complain about. */
function namesOf(text: unknown): string[] {
  try {
    return typeof text === "string" ? [...new Set(allNames(parseExpression(text)).map(({ name }) => name))] : [];
  } catch {
    return [];
  }
}

/** `level_max` and the like, which windows give beside the channel's own value. */
function windowChannels([key, channel]: [string, unknown]): string[] {
  return stepsOf(channel).flatMap((step) => {
    const window = isMapping(step) ? step.aggregate : undefined;
    const given = isMapping(window) && Array.isArray(window.give) ? window.give.slice(1) : [];
    return given.map((name) => `${key}_${name}`);
  });
}

function stepsOf(channel: unknown): readonly unknown[] {
  return isMapping(channel) && Array.isArray(channel.process) ? channel.process : [];
}
