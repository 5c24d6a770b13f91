import { type ChipModel, eventually, run } from "./guest.ts";

/** What a BME280 or BMP280 measured, as its converter's raw codes. */
export interface RawClimate {
  readonly pressure: number;
  readonly temperature: number;
  readonly humidity: number;
}

/** The datasheet's worked example (BMP280 §3.12): 25.08 °C and 100653 Pa. */
export const mild: RawClimate = { pressure: 415148, temperature: 519888, humidity: 28560 };
export const hot: RawClimate = { pressure: 390000, temperature: 560000, humidity: 22000 };
export const freezing: RawClimate = { pressure: 350000, temperature: 425000, humidity: 31000 };

/** T1 to T3, P1 to P9 of the same example, and H1. */
const trimming = [27504, 26435, -1000, 36477, -10685, 3024, 2855, 140, -7, 15500, -14600, 6000];
/** H2 = 362, H3 = 0, H4 = 311, H5 = 50, H6 = 30. */
const humidityTrimming = "6a01001327031e";

function littleEndian(values: readonly number[]): string {
  const bytes = Buffer.alloc(values.length * 2);
  for (const [index, value] of values.entries()) bytes.writeUInt16LE(value & 0xffff, index * 2);
  return bytes.toString("hex");
}

const twentyBits = (code: number): string => (code << 4).toString(16).padStart(6, "0");

export function bosch280(id: "58" | "60", { pressure, temperature, humidity }: RawClimate): ChipModel {
  const data = twentyBits(pressure) + twentyBits(temperature) + humidity.toString(16).padStart(4, "0");
  return {
    regs: { d0: id, "88": littleEndian(trimming), a1: "4b", e1: humidityTrimming, f3: "00", f7: data },
  };
}

/** In our units: °C, %, hPa. A BMP280 has no humidity. */
export interface Climate {
  readonly temperature: number;
  readonly pressure: number;
  readonly humidity?: number;
}

/** What the kernel's own driver makes of the chip at 0x76 of bus 1. */
export async function kernelClimate(driver: "bmp280" | "bme280"): Promise<Climate> {
  await run(`modprobe bmp280-i2c && vpi bind 1 ${driver} 0x76`);
  try {
    const node = await eventually(
      async () => (await run("ls -d /sys/bus/iio/devices/iio:device* 2>/dev/null || true")) || undefined,
      10_000,
      "the kernel's driver is bound",
    );
    const read = async (name: string) => Number(await run(`cat ${node}/${name}`));
    return {
      temperature: (await read("in_temp_input")) / 1000,
      pressure: (await read("in_pressure_input")) * 10,
      ...(driver === "bme280" && { humidity: (await read("in_humidityrelative_input")) / 1000 }),
    };
  } finally {
    await run("vpi unbind 1 0x76");
  }
}

/** As near as the rounding of what is published allows. */
export function closeTo(expected: Climate, values: Partial<Climate>): boolean {
  const near = (a: number | undefined, b: number | undefined) => a === b || Math.abs((a ?? NaN) - (b ?? NaN)) < 0.06;
  return (
    near(values.temperature, expected.temperature) &&
    near(values.pressure, expected.pressure) &&
    near(values.humidity, expected.humidity)
  );
}
