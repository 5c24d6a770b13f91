import { afterAll, beforeAll, expect, test } from "vitest";
import { configuration, throughBundled } from "./bench.ts";
import { TREE } from "./boot.ts";
import { attempt, type ChipModel, run, warm, wire, writeJson } from "./guest.ts";

/**
 * The same registers, read by the kernel's own drivers and by ours. All chips are on the bus together and are read by one
 * process: a program takes seconds to load in the emulator.
 */
interface Compared {
  readonly address: number;
  readonly model: ChipModel;
  readonly kernel: { readonly module: string; readonly name: string };
  readonly options?: object;
  /** Channel -> what the kernel calls it, as one number of its files, in our unit; and the chip's least significant digit. */
  readonly channels: Readonly<
    Record<string, { readonly of: (files: Readonly<Record<string, number>>) => number; readonly lsb: number }>
  >;
}

/** Sensirion's CRC-8 (x⁸+x⁵+x⁴+1 from 0xff): not ours, which is to be judged. */
function word(value: number): string {
  let crc = 0xff;
  for (const byte of [value >> 8, value & 0xff]) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 0x80 ? ((crc << 1) ^ 0x31) & 0xff : crc << 1;
  }
  return value.toString(16).padStart(4, "0") + crc.toString(16).padStart(2, "0");
}

const milli = (file: string) => (files: Readonly<Record<string, number>>) => (files[file] ?? Number.NaN) / 1000;
const scaled = (name: string, unit: number) => (files: Readonly<Record<string, number>>) =>
  ((files[`${name}_raw`] ?? Number.NaN) * (files[`${name}_scale`] ?? Number.NaN)) / unit;

/** The kernel's own least digit, and it cuts off what is below. */
const MILLI = 0.001;
const temperature = (lsb: number) => ({ of: milli("temp1_input"), lsb: lsb + MILLI });
const humidity = (lsb: number) => ({ of: milli("humidity1_input"), lsb: lsb + MILLI });
const volts = (name: string, lsb: number) => ({ of: scaled(name, 1000), lsb });

const SERIAL = word(0x1234) + word(0x5678);

interface Words {
  readonly temperature: number;
  readonly humidity: number;
  readonly lm75: number;
  readonly tmp102: number;
  readonly voltage: number;
  readonly light: number;
  readonly bus: number;
  readonly shunt: number;
}
const rounds: readonly Words[] = [
  {
    temperature: 0x6666,
    humidity: 0x8000,
    lm75: 0x1960,
    tmp102: 0x0c81,
    voltage: 0x1a20,
    light: 0x0123,
    bus: 0x5dc2,
    shunt: 0x01f4,
  },
  {
    temperature: 0x2a3b,
    humidity: 0xc0de,
    lm75: 0xe760,
    tmp102: 0xf381,
    voltage: 0xe5f0,
    light: 0x8fed,
    bus: 0x1f42,
    shunt: 0xff38,
  },
];

const hex = (value: number) => value.toString(16).padStart(4, "0");

function chips(words: Words): Record<string, Compared> {
  const frame = word(words.temperature) + word(words.humidity);
  const registers = (regs: Readonly<Record<string, number>>): ChipModel => ({
    wide: true,
    regs: Object.fromEntries(Object.entries(regs).map(([name, value]) => [name, hex(value)])),
  });
  const adc = (name: "ads1015" | "ads1115", address: number, lsb: number): Compared => ({
    address,
    model: registers({ "00": words.voltage, "01": 0x8583 }),
    kernel: { module: "ti-ads1015", name },
    // The kernel's range.
    options: { range: 2.048, inputs: ["a0"] },
    channels: { a0: volts("in_voltage0", lsb) },
  });
  const monitor = (
    name: "ina219" | "ina226",
    address: number,
    ids: object,
    lsb: [bus: number, shunt: number],
  ): Compared => ({
    address,
    model: registers({ "00": 0x399f, "01": words.shunt, "02": words.bus, ...ids }),
    kernel: { module: "ina2xx-adc", name },
    channels: { voltage: volts("in_voltage1", lsb[0]), shunt_voltage: volts("in_voltage0", lsb[1]) },
  });
  return {
    sht3x: {
      address: 0x44,
      model: { cmds: { "2400": frame, "3682": SERIAL, "*": word(0) } },
      kernel: { module: "sht3x", name: "sht3x" },
      channels: { temperature: temperature(175 / 65535), humidity: humidity(100 / 65535) },
    },
    sht4x: {
      address: 0x45,
      model: { cmds: { fd: frame, "89": SERIAL, "*": word(0) } },
      kernel: { module: "sht4x", name: "sht4x" },
      channels: { temperature: temperature(175 / 65535), humidity: humidity(125 / 65535) },
    },
    lm75: {
      address: 0x48,
      model: registers({ "00": words.lm75, "01": 0, "02": 0x4b00, "03": 0x5000 }),
      kernel: { module: "lm75", name: "lm75b" },
      channels: { temperature: temperature(0.125) },
    },
    tmp102: {
      // Extended, as the lowest bit says: the mode that the kernel's driver sets. A model that follows the mode there is none.
      address: 0x49,
      model: registers({ "00": words.tmp102, "01": 0x60a0, "02": 0x4b00, "03": 0x5000 }),
      kernel: { module: "tmp102", name: "tmp102" },
      channels: { temperature: temperature(0.0625) },
    },
    ads1115: adc("ads1115", 0x4a, 2.048 / 32768),
    ads1015: adc("ads1015", 0x4b, 2.048 / 2048),
    bh1750: {
      address: 0x23,
      model: { cmds: { "*": hex(words.light) } },
      kernel: { module: "bh1750", name: "bh1750" },
      channels: { illuminance: { of: scaled("in_illuminance", 1), lsb: 1 / 1.2 } },
    },
    ina219: monitor("ina219", 0x40, {}, [0.004, 0.00001]),
    ina226: monitor("ina226", 0x41, { fe: 0x5449, ff: 0x2260 }, [0.00125, 0.0000025]),
  };
}

type Files = Readonly<Record<string, number>>;

/** The kernel's driver binds, is read, and lets go: its values by the names of their files. */
async function kernels({ address, kernel }: Compared): Promise<Files> {
  const at = `0x${address.toString(16)}`;
  const folder = `/sys/bus/i2c/devices/1-00${address.toString(16)}`;
  // tmp102 answers EAGAIN until its first conversion must be over.
  const text = await run(
    `modprobe ${kernel.module} && vpi bind 1 ${kernel.name} ${at} && sleep 1; cd ${folder} && ` +
      "grep -s '' hwmon/hwmon*/temp1_input hwmon/hwmon*/humidity1_input iio:device*/in_* || true; " +
      `vpi unbind 1 ${at}`,
  );
  return Object.fromEntries(
    [...text.matchAll(/^\S+\/(\w+):(-?[\d.]+)$/gm)].map(([, name, value]) => [name, Number(value)]),
  );
}

interface Answer {
  readonly device: string;
  readonly values?: Readonly<Record<string, number>>;
}

/** All of them by one `fieldpost read`; again for those that the emulator's slowness kept from answering in time. */
async function ours(all: Record<string, Compared>): Promise<Map<string, Answer["values"]>> {
  const finely = (channels: object) => Object.fromEntries(Object.keys(channels).map((key) => [key, { decimals: 6 }]));
  const devices = Object.entries(all).map(([driver, { address, channels, options }]) => ({
    ...{ id: driver, driver, bus: "i2c-1", address, channels: finely(channels) },
    ...options,
  }));
  const probe = { id: "probe", driver: "ds18b20", sensor: "28-00155e000001", channels: finely({ temperature: 0 }) };
  const found = new Map<string, Answer["values"]>();
  for (let attempts = 0; attempts < 5 && found.size <= devices.length; attempts++) {
    const missing = [...devices, probe].filter(({ id }) => !found.has(id));
    const config = "/home/pi/agreement.yaml";
    await writeJson(config, configuration("/home/pi/data-agreement", throughBundled, missing));
    const { stdout, stderr } = await attempt(
      `cd ${TREE} && runuser -u pi -- node dist/main.js read --json --config ${config}`,
    );
    if (stdout === "") throw new Error(stderr);
    const answers = stdout
      .trim()
      .split("\n")
      .map((line): Answer => JSON.parse(line));
    for (const { device, values } of answers) if (values) found.set(device, values);
  }
  return found;
}

const judged: { kernel: Record<string, Files>; ours: Map<string, Answer["values"]>; probe: number }[] = [];

beforeAll(async () => {
  await run("systemctl stop mosquitto");
  for (const [index, words] of rounds.entries()) {
    const all = chips(words);
    const models = Object.values(all).map(({ address, model }) => [address.toString(16), model] as const);
    await warm(0, [21.4375, -7.0625][index] as number);
    await wire(Object.fromEntries(models));
    const kernel: Record<string, Files> = {};
    for (const [driver, chip] of Object.entries(all)) kernel[driver] = await kernels(chip);
    const probe = Number(await run("cat /sys/bus/w1/devices/28-00155e000001/temperature")) / 1000;
    // As after power-on: what the kernel's drivers have written is gone.
    await wire(Object.fromEntries(models));
    judged.push({ kernel, ours: await ours(all), probe });
  }
}, 3_600_000);

afterAll(() => run("rm -f /run/vi2c.json"));

test.each(Object.keys(chips(rounds[0] as Words)))(
  "the kernel's %s and ours agree within one least significant digit",
  (driver) => {
    for (const [index, words] of rounds.entries()) {
      const { channels } = chips(words)[driver] as Compared;
      const found = judged[index]?.ours.get(driver);
      for (const [channel, { of, lsb }] of Object.entries(channels)) {
        const expected = of(judged[index]?.kernel[driver] ?? {});
        const what = `${driver} ${channel}, kernel ${expected}: ${JSON.stringify(judged[index]?.kernel[driver])}`;
        expect(Math.abs((found?.[channel] ?? Number.NaN) - expected), what).toBeLessThanOrEqual(lsb);
      }
    }
  },
);

test("the kernel's DS18B20 and ours agree within one least significant digit", () => {
  for (const { ours: found, probe } of judged) {
    expect(Math.abs((found.get("probe")?.temperature ?? Number.NaN) - probe)).toBeLessThanOrEqual(0.0625);
  }
});
