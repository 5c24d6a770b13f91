import type { Values } from "../core/reading.ts";
import { checkedWords, hexWords } from "./crc.ts";
import { i2cDriver } from "./driver.ts";
import { hex, mismatch } from "./registers.ts";
import { ask, celsiusOf, percentOf, tell } from "./sensirion.ts";

/** Commands (SNAS778D, §7.5.7). Its frames and its CRC are those of Sensirion's SHT3x. */
const MANUFACTURER = { code: 0x3781, waitMs: 1 };
const SERIAL = [0x3683, 0x3684, 0x3685].map((code) => ({ code, waitMs: 1 }));
const LEAVE_AUTO_MODE = { code: 0x3093, waitMs: 1 };
const HEATER_OFF = { code: 0x3066, waitMs: 1 };
/** On demand with the lowest noise; 12.5 ms typically, 14.3 ms at most (§6.5). */
const MEASURE = { code: 0x2400, waitMs: 15 };
const TEXAS_INSTRUMENTS = 0x3000;

export const hdc302x = i2cDriver({
  name: "hdc302x",
  aliases: ["hdc3020", "hdc3021", "hdc3022"],
  title: "Texas Instruments HDC3020, HDC3021 and HDC3022: temperature and humidity",
  manufacturer: "Texas Instruments",
  model: "HDC302x",
  addresses: [0x44, 0x45, 0x46, 0x47],
  options: {},
  channels: {
    temperature: { quantity: "temperature", min: -40, max: 125 },
    humidity: { quantity: "humidity", min: 0, max: 100 },
  },
  noisy: ["temperature"],
  timing: { minIntervalMs: 100, expectedMs: 40 },
  notes: "SHT3x and SHT4x have the same addresses: the manufacturer's id tells.",

  async identify(chip, context) {
    const [manufacturer = 0] = await ask(chip, MANUFACTURER, 1, context);
    if (manufacturer !== TEXAS_INSTRUMENTS) throw mismatch(chip, "HDC302x", `its id is ${hex(manufacturer, 4)}`);
    const words: number[] = [];
    for (const command of SERIAL) words.push(...(await ask(chip, command, 1, context)));
    return { serial: hexWords(words) };
  },

  async open(chip, _options, context) {
    await tell(chip, LEAVE_AUTO_MODE, context);
    await tell(chip, HEATER_OFF, context);
    return {
      async read(signal) {
        await tell(chip, MEASURE, context, [], signal);
        return { values: decode(await chip.read(6)) };
      },
    };
  },
});

/** Temperature word, CRC, humidity word, CRC (§7.5.4). Throws CHECKSUM. */
export function decode(frame: Uint8Array): Values {
  const [temperature = 0, humidity = 0] = checkedWords(frame);
  return { temperature: celsiusOf(temperature), humidity: percentOf(humidity) };
}
