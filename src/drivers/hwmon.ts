import { z } from "zod";
import { GatewayError } from "../core/errors.ts";
import type { KernelFiles } from "../hardware/files.ts";
import { type ChannelFacts, filesDriver } from "./driver.ts";
import { type KernelChannel, readEach, tableOf } from "./kernel-channels.ts";
import { kernelDevices, labelIn, readIfThere, readNumber, selectDevice } from "./kernel-files.ts";

const CLASS = "/sys/class/hwmon";
const ENTRY = /^hwmon\d+$/;
/** More than any board has; what is beyond is left out. */
const MAX_CHANNELS = 64;

interface Kind {
  readonly key: string;
  /** From the kernel's unit to ours (Documentation/hwmon/sysfs-interface.rst). */
  readonly factor: number;
  readonly facts: ChannelFacts;
  /** The number of the first one, which goes without a number in its key; voltages always carry theirs. */
  readonly first?: "1";
}

const kinds: ReadonlyMap<string, Kind> = new Map<string, Kind>([
  // m°C, mV, mA, µW, m%, rpm, µJ, Hz
  [
    "temp",
    { key: "temperature", factor: 1e-3, facts: { quantity: "temperature", min: -273.15, max: 1000 }, first: "1" },
  ],
  ["in", { key: "voltage", factor: 1e-3, facts: { quantity: "voltage" } }],
  ["curr", { key: "current", factor: 1e-3, facts: { quantity: "current" }, first: "1" }],
  ["power", { key: "power", factor: 1e-6, facts: { quantity: "power" }, first: "1" }],
  ["humidity", { key: "humidity", factor: 1e-3, facts: { quantity: "humidity", min: 0, max: 100 }, first: "1" }],
  ["fan", { key: "fan", factor: 1, facts: { quantity: "fan_speed", min: 0 }, first: "1" }],
  ["energy", { key: "energy", factor: 1 / 3.6e12, facts: { quantity: "energy", min: 0 }, first: "1" }],
  ["freq", { key: "frequency", factor: 1, facts: { quantity: "frequency", min: 0 }, first: "1" }],
]);

/** The kernel's ina3221 gives its shunts and their sum in µV (Documentation/hwmon/ina3221.rst). */
const MICROVOLTS = { chip: "ina3221", inputs: ["4", "5", "6", "7"] };
const microvolts: Kind = { key: "voltage", factor: 1e-6, facts: { quantity: "voltage", decimals: 6 } };

export const hwmon = filesDriver({
  name: "hwmon",
  title: "Any sensor that the kernel shows under hwmon: temperature, voltage, current, power, humidity, fans",
  options: {
    device: z
      .string()
      .min(1)
      .optional()
      .describe("Name, label, node (`1-0048`) or path of the device; may be left out where it is the only one"),
  },
  channels: {},
  timing: { minIntervalMs: 100, expectedMs: 100 },
  notes: "Channels are found when it opens, and titled as the kernel labels them.",

  async find(files) {
    const devices = await kernelDevices(files, CLASS, ENTRY);
    return devices.map(({ name, node }) => ({ title: `hwmon device ${node} (${name})`, options: { device: node } }));
  },

  async open(files, { device: wanted }) {
    const { directory, name, node } = await selectDevice(files, await kernelDevices(files, CLASS, ENTRY), wanted);
    const channels = await channelsIn(files, directory, name);
    if (channels.length === 0) throw new GatewayError("CHIP_ABSENT", `${node} (${name}) has no channel to read`);
    return { model: name, channels: tableOf(channels), read: async () => ({ values: await readEach(channels) }) };
  },
});

/** `temp1_input`; some power meters have an average and nothing else. */
const VALUE = /^([a-z]+)(\d+)_(input|average)$/;

async function channelsIn(files: KernelFiles, directory: string, chip: string): Promise<KernelChannel[]> {
  const names = await files.list(directory);
  const channels: KernelChannel[] = [];
  for (const name of names.slice(0, 16 * MAX_CHANNELS)) {
    const [, type = "", number = "", form] = VALUE.exec(name) ?? [];
    const kind = kindOf(chip, type, number);
    if (!kind || (form === "average" && names.includes(`${type}${number}_input`))) continue;
    const label = await labelIn(files, `${directory}/${type}${number}_label`);
    channels.push({ ...named(kind, number, label), value: () => readChannel(files, directory, name, kind) });
  }
  return channels.slice(0, MAX_CHANNELS);
}

function kindOf(chip: string, type: string, number: string): Kind | undefined {
  const isMicrovolts = chip === MICROVOLTS.chip && type === "in" && MICROVOLTS.inputs.includes(number);
  return isMicrovolts ? microvolts : kinds.get(type);
}

function named(kind: Kind, number: string, label: string | undefined): Pick<KernelChannel, "key" | "facts"> {
  const isFirst = number === kind.first;
  const title = label ?? (isFirst ? undefined : `${kind.key.charAt(0).toUpperCase()}${kind.key.slice(1)} ${number}`);
  return {
    key: isFirst ? kind.key : `${kind.key}_${number}`,
    facts: title === undefined ? kind.facts : { ...kind.facts, title },
  };
}

/** Throws BAD_VALUE where the chip itself says that the probe is broken or not connected. */
async function readChannel(files: KernelFiles, directory: string, name: string, kind: Kind): Promise<number> {
  const fault = await readIfThere(files, `${directory}/${name.replace(/_[a-z]+$/, "_fault")}`);
  if (fault === "1") throw new GatewayError("BAD_VALUE", `${directory}/${name}: the chip reports a broken probe`);
  return (await readNumber(files, `${directory}/${name}`)) * kind.factor;
}
