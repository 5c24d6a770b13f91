import { GatewayError } from "../core/errors.ts";
import type { Values } from "../core/reading.ts";
import { i2cDriver } from "./driver.ts";
import { hex, mismatch, readByte, signedWordLe } from "./registers.ts";

/** Registers (ST DocID026333, §6). */
const WHO_AM_I = 0x0f;
const CTRL_REG1 = 0x20;
const CTRL_REG2 = 0x21;
const STATUS = 0x27;
const OUTPUT = 0x28;
const CALIBRATION = 0x30;
/** More than one register is read (§5.1.1). */
const MANY = 0x80;

const HTS221 = 0xbc;
/** Powered, no update between the halves of an output, and a measurement only when it is asked for. */
const ONE_SHOT_MODE = 0x84;
/** Begins a measurement, and is 0 again when it is done. The heater is off. */
const ONE_SHOT = 0x01;
const BOTH_READY = 0x03;

const POLL_MS = 5;
const MAX_WAIT_MS = 200;

export const hts221 = i2cDriver({
  name: "hts221",
  title: "ST HTS221: temperature and humidity",
  manufacturer: "STMicroelectronics",
  model: "HTS221",
  addresses: [0x5f],
  options: {},
  channels: {
    temperature: { quantity: "temperature", min: -40, max: 120 },
    humidity: { quantity: "humidity", min: 0, max: 100 },
  },
  timing: { minIntervalMs: 500, expectedMs: 60 },
  notes: "It is on the Sense HAT, where the Pi below warms it by some degrees.",

  async identify(chip) {
    const id = await readByte(chip, WHO_AM_I);
    if (id !== HTS221) throw mismatch(chip, "HTS221", `its id is ${hex(id)}`);
    return {};
  },

  async open(chip, _options, { clock }) {
    const lines = linesOf(await chip.readRegister(CALIBRATION | MANY, 16));
    return {
      async read(signal) {
        // It is off after a brown-out.
        await chip.writeRegister(CTRL_REG1, ONE_SHOT_MODE);
        // What nobody fetched would pass for the new one.
        await chip.readRegister(OUTPUT | MANY, 4);
        await chip.writeRegister(CTRL_REG2, ONE_SHOT);
        for (const endMs = clock.monoMs() + MAX_WAIT_MS; clock.monoMs() < endMs; ) {
          await clock.sleep(POLL_MS, signal);
          const isDone = (await readByte(chip, CTRL_REG2)) === 0 && (await readByte(chip, STATUS)) === BOTH_READY;
          if (isDone) return { values: decode(await chip.readRegister(OUTPUT | MANY, 4), lines) };
        }
        throw new GatewayError("NOT_READY", `no measurement in ${MAX_WAIT_MS} ms`);
      },
    };
  },
});

/** Two points: what the chip gives, and what that means. */
interface Line {
  readonly at: readonly [number, number];
  readonly means: readonly [number, number];
}

interface Lines {
  readonly temperature: Line;
  readonly humidity: Line;
}

/** The factory's points (§7, table 19), from 0x30 on. Throws BAD_VALUE where they make no line. */
export function linesOf(bytes: Uint8Array): Lines {
  const byte = (register: number) => bytes[register - CALIBRATION] ?? 0;
  const word = (register: number) => signedWordLe(bytes, register - CALIBRATION);
  const high = byte(0x35);
  const lines: Lines = {
    humidity: { at: [word(0x36), word(0x3a)], means: [byte(0x30) / 2, byte(0x31) / 2] },
    temperature: {
      at: [word(0x3c), word(0x3e)],
      means: [(((high & 0x03) << 8) | byte(0x32)) / 8, (((high & 0x0c) << 6) | byte(0x33)) / 8],
    },
  };
  const isLine = ({ at, means }: Line) => at[0] !== at[1] && means[0] !== means[1];
  if (isLine(lines.humidity) && isLine(lines.temperature)) return lines;
  throw new GatewayError("BAD_VALUE", "its calibration is empty");
}

/** Humidity, then temperature: 16 bits each, on the lines of their calibration. */
export function decode(bytes: Uint8Array, { temperature, humidity }: Lines): Values {
  return {
    temperature: valueOn(temperature, signedWordLe(bytes, 2)),
    humidity: Math.min(100, Math.max(0, valueOn(humidity, signedWordLe(bytes, 0)))),
  };
}

function valueOn({ at, means }: Line, code: number): number {
  return means[0] + ((means[1] - means[0]) * (code - at[0])) / (at[1] - at[0]);
}
