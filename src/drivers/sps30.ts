import { GatewayError } from "../core/errors.ts";
import type { Values } from "../core/reading.ts";
import { checkedWords } from "./crc.ts";
import { i2cDriver } from "./driver.ts";
import { mismatch } from "./registers.ts";
import { ask, floatOf, tell } from "./sensirion.ts";

/** Commands (Sensirion SPS30 datasheet v1, §6.3). */
const START = { code: 0x0010, waitMs: 20 };
const STOP = { code: 0x0104, waitMs: 20 };
const DATA_READY = { code: 0x0202, waitMs: 1 };
const READ = { code: 0x0300, waitMs: 1 };
const PRODUCT = { code: 0xd002, waitMs: 1 };
const SERIAL = { code: 0xd033, waitMs: 1 };
const VERSION = { code: 0xd100, waitMs: 1 };
const STATUS = { code: 0xd206, waitMs: 1 };
/** The first firmware that has the status register (§6.3): its high byte is the major number. */
const STATUS_SINCE = 0x0202;
const FLOATS = 0x0300;
const PRODUCT_TYPE = "00080000";

/** Until its values are within their accuracy, at low concentrations (table 1). */
const WARM_UP_MS = 30_000;
const MAX_WAIT_MS = 1300;
const POLL_MS = 100;

/** Bits of the status register (§4.4). Its numbers are none while one of them is set. */
const FAULTS = [
  { bit: 4, text: "its fan is on and does not turn: dirt blocks it, or it is worn out" },
  { bit: 5, text: "the current of its laser is out of range" },
  { bit: 21, text: "the speed of its fan is out of range" },
];

const KEYS = [
  ...["pm1", "pm25", "pm4", "pm10"],
  ...["particles_0_5", "particles_1", "particles_2_5", "particles_4", "particles_10", "particle_size"],
] as const;

export const sps30 = i2cDriver({
  name: "sps30",
  title: "Sensirion SPS30: particulate matter",
  manufacturer: "Sensirion",
  model: "SPS30",
  addresses: [0x69],
  options: {},
  channels: {
    pm1: { quantity: "pm1", min: 0 },
    pm25: { quantity: "pm25", min: 0 },
    pm4: { quantity: "pm4", min: 0 },
    pm10: { quantity: "pm10", min: 0 },
    particles_0_5: { quantity: "particle_count", title: "Particles up to 0.5 μm", min: 0 },
    particles_1: { quantity: "particle_count", title: "Particles up to 1 μm", min: 0 },
    particles_2_5: { quantity: "particle_count", title: "Particles up to 2.5 μm", min: 0 },
    particles_4: { quantity: "particle_count", title: "Particles up to 4 μm", min: 0 },
    particles_10: { quantity: "particle_count", title: "Particles up to 10 μm", min: 0 },
    particle_size: { quantity: "particle_size", title: "Typical particle size", min: 0 },
  },
  timing: { minIntervalMs: 2000, expectedMs: 1800, defaultIntervalMs: 30_000 },
  notes:
    "Needs 5 V, and its SEL pin on ground for I2C. For 30 s after a start its values are `warming`. Its fan runs on. " +
    "While its status says that fan or laser fails it gives no numbers (firmware 2.2 on, older ones do not tell).",

  /** The type, in a chip of any state. */
  async identify(chip, context) {
    const product = textOf(await ask(chip, PRODUCT, 4, context));
    if (product !== PRODUCT_TYPE) throw mismatch(chip, "SPS30", `its product type is ${JSON.stringify(product)}`);
    return { serial: textOf(await ask(chip, SERIAL, 16, context)) };
  },

  async open(chip, _options, context) {
    const { clock } = context;
    const [version = 0] = await ask(chip, VERSION, 1, context);
    let startedMs = 0;
    const start = async () => {
      await tell(chip, STOP, context);
      await tell(chip, START, context, [FLOATS]);
      startedMs = clock.monoMs();
    };
    await start();
    return {
      async read(signal) {
        for (const endMs = clock.monoMs() + MAX_WAIT_MS; ; await clock.sleep(POLL_MS, signal)) {
          const [ready = 0] = await ask(chip, DATA_READY, 1, context, [], signal);
          if ((ready & 1) !== 0) break;
          if (clock.monoMs() < endMs) continue;
          // It is idle after a brown-out.
          await start();
          throw new GatewayError("NOT_READY", `no new measurement in ${MAX_WAIT_MS} ms: it was started again`);
        }
        if (version >= STATUS_SINCE) refuseFaults(await ask(chip, STATUS, 2, context, [], signal));
        await tell(chip, READ, context, [], signal);
        const values = decode(await chip.read(60));
        if (clock.monoMs() - startedMs >= WARM_UP_MS) return { values };
        return { values, quality: Object.fromEntries(KEYS.map((key) => [key, "warming" as const])) };
      },
    };
  },
});

function refuseFaults([high = 0, low = 0]: readonly number[]): void {
  const status = ((high << 16) | low) >>> 0;
  const fault = FAULTS.find(({ bit }) => ((status >>> bit) & 1) !== 0);
  if (fault) throw new GatewayError("BAD_VALUE", fault.text);
}

/** Ten numbers of two words each (§4.2). Throws CHECKSUM, and BAD_VALUE for what is no number. */
export function decode(frame: Uint8Array): Values {
  const words = checkedWords(frame);
  const entries = KEYS.map((key, index) => [key, floatOf(words[2 * index] ?? 0, words[2 * index + 1] ?? 0)] as const);
  if (!entries.every(([, value]) => Number.isFinite(value))) throw new GatewayError("BAD_VALUE", "it gave no number");
  return Object.fromEntries(entries);
}

function textOf(words: readonly number[]): string {
  const characters = words.flatMap((word) => [word >> 8, word & 0xff]);
  const end = characters.indexOf(0);
  return String.fromCharCode(...(end < 0 ? characters : characters.slice(0, end)));
}
