import { i2cDriver } from "./driver.ts";
import { hex, mismatch, readWord, signed, writeWord } from "./registers.ts";

/** Registers (DS25095A, §5). */
const CONFIG = 0x01;
const UPPER_LIMIT = 0x02;
const TEMPERATURE = 0x05;
const MANUFACTURER = 0x06;
const DEVICE = 0x07;
const RESOLUTION = 0x08;

const CONTINUOUS = 0x0000;
const FINEST = 0x03;
/** At the finest resolution: 250 ms typically (§5.2.4, table 5-7), and no longest time is given. */
const CONVERSION_MS = 325;
/** 125 °C. It is 0 after power-on, so that it tells whether the chip was reset; the alert output is off. */
const MARK = 0x07d0;

export const mcp9808 = i2cDriver({
  name: "mcp9808",
  title: "Microchip MCP9808: temperature",
  manufacturer: "Microchip",
  model: "MCP9808",
  addresses: [0x18, 0x19, 0x1a, 0x1b, 0x1c, 0x1d, 0x1e, 0x1f],
  options: {},
  channels: { temperature: { quantity: "temperature", min: -40, max: 125 } },
  timing: { minIntervalMs: 500, expectedMs: 400 },

  async identify(chip) {
    const manufacturer = await readWord(chip, MANUFACTURER);
    const device = await readWord(chip, DEVICE);
    if (manufacturer === 0x0054 && device >> 8 === 0x04) return {};
    throw mismatch(chip, "MCP9808", `its ids are ${hex(manufacturer, 4)} and ${hex(device, 4)}`);
  },

  async open(chip, _options, { clock }) {
    const configure = async (signal?: AbortSignal) => {
      await writeWord(chip, CONFIG, CONTINUOUS);
      await chip.writeRegister(RESOLUTION, FINEST);
      await writeWord(chip, UPPER_LIMIT, MARK);
      await clock.sleep(CONVERSION_MS, signal);
    };
    await configure();
    return {
      async read(signal) {
        // Reset, it shows 0 °C until its first conversion is done.
        if ((await readWord(chip, UPPER_LIMIT)) !== MARK) await configure(signal);
        return { values: { temperature: decode(await readWord(chip, TEMPERATURE)) } };
      },
    };
  },
});

/** Three alert flags, then 13 bits of sixteenths of a degree (§5.2.3). */
export function decode(word: number): number {
  return signed(word, 13) / 16;
}
