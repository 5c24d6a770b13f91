import { z } from "zod";
import type { KernelFiles } from "../hardware/files.ts";
import { filesDriver } from "./driver.ts";
import { type KernelDevice, kernelDevices, readNumber, selectDevice } from "./kernel-files.ts";

/** The kernel's driver is called so for both chips, and its devices `dht11@4`. */
const NAME = /^dht11(@|$)/;

export const dht22 = filesDriver({
  name: "dht22",
  aliases: ["dht11", "am2302"],
  title: "Aosong DHT22 (AM2302) and DHT11, read by the kernel: temperature and humidity",
  manufacturer: "Aosong",
  model: "DHT22",
  options: {
    device: z
      .string()
      .min(1)
      .optional()
      .describe("Node of the device, such as `dht11@4`; may be left out where it is the only one"),
  },
  channels: {
    temperature: { quantity: "temperature", decimals: 1, min: -40, max: 80 },
    humidity: { quantity: "humidity", min: 0, max: 100 },
  },
  // The kernel's driver answers from memory for two seconds.
  timing: { minIntervalMs: 2000, expectedMs: 500 },
  notes:
    "Needs `dtoverlay=dht11,gpiopin=4`. Readings that fail are routine with these chips, and are tried again. " +
    "An SHT4x costs as much and does not fail.",

  async find(files) {
    const devices = await dhtDevices(files);
    return devices.map(({ node }) => ({ title: `DHT22 or DHT11 ${node}`, options: { device: node } }));
  },

  async open(files, { device }) {
    const { directory } = await selectDevice(files, await dhtDevices(files), device);
    return {
      async read() {
        const temperature = (await readNumber(files, `${directory}/in_temp_input`)) / 1000;
        const humidity = (await readNumber(files, `${directory}/in_humidityrelative_input`)) / 1000;
        return { values: { temperature, humidity } };
      },
    };
  },
});

async function dhtDevices(files: KernelFiles): Promise<KernelDevice[]> {
  const devices = await kernelDevices(files, "/sys/bus/iio/devices", /^iio:device\d+$/);
  return devices.filter(({ name, node }) => NAME.test(name) || NAME.test(node));
}
