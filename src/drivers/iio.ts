import { z } from "zod";
import { GatewayError } from "../core/errors.ts";
import type { KernelFiles } from "../hardware/files.ts";
import { filesDriver } from "./driver.ts";
import { type IioAttribute, iioAttributes } from "./iio-attributes.ts";
import { chipBehind, mending } from "./iio-quirks.ts";
import { type KernelChannel, readEach, tableOf } from "./kernel-channels.ts";
import { kernelDevices, labelIn, readNumber, selectDevice } from "./kernel-files.ts";

const CLASS = "/sys/bus/iio/devices";
const ENTRY = /^iio:device\d+$/;
/** More than any chip has; what is beyond is left out. */
const MAX_CHANNELS = 64;

export const iio = filesDriver({
  name: "iio",
  title: "Any sensor that the kernel shows as an IIO device: environment, light, ADC, motion, DHT11 and DHT22",
  options: {
    device: z
      .string()
      .min(1)
      .optional()
      .describe(
        "Name, label, node (`1-0076`, `dht11@4`) or path of the device; may be left out where it is the only one",
      ),
  },
  channels: {},
  timing: { minIntervalMs: 100, expectedMs: 100 },
  notes:
    "Channels are found when it opens, and named after what the kernel says they are. A DHT wants `interval: 3s` or more.",

  async find(files) {
    const devices = await kernelDevices(files, CLASS, ENTRY);
    return devices.map(({ name, node }) => ({ title: `IIO device ${node} (${name})`, options: { device: node } }));
  },

  async open(files, { device: wanted }) {
    const { directory, name, node } = await selectDevice(files, await kernelDevices(files, CLASS, ENTRY), wanted);
    const channels = await channelsIn(files, directory, await chipBehind(files, directory, name));
    if (channels.length === 0) throw new GatewayError("CHIP_ABSENT", `${node} (${name}) has no channel to read`);
    return {
      model: name,
      channels: tableOf(channels),
      read: async () => ({ values: await readEach(channels) }),
    };
  },
});

async function channelsIn(files: KernelFiles, directory: string, chip: string): Promise<KernelChannel[]> {
  const attributes = iioAttributes(await files.list(directory)).slice(0, MAX_CHANNELS);
  return await Promise.all(
    attributes.map(async (attribute) => {
      const title = attribute.labelFile && (await labelIn(files, `${directory}/${attribute.labelFile}`));
      return {
        key: attribute.key,
        facts: title ? { ...attribute.facts, title } : attribute.facts,
        value: () => readAttribute(files, directory, attribute, chip),
      };
    }),
  );
}

/** `(raw + offset) * scale`, or what the kernel computed itself (Documentation/ABI/testing/sysfs-bus-iio). */
async function readAttribute(
  files: KernelFiles,
  directory: string,
  attribute: IioAttribute,
  chip: string,
): Promise<number> {
  const numberIn = async (name: string | undefined, otherwise: number) =>
    name === undefined ? otherwise : await readNumber(files, `${directory}/${name}`);
  const offset = await numberIn(attribute.offsetFile, 0);
  const scale = await numberIn(attribute.scaleFile, 1);
  const value = ((await readNumber(files, `${directory}/${attribute.valueFile}`)) + offset) * scale;
  return value * mending(chip, attribute.type, value, scale) * attribute.factor;
}
