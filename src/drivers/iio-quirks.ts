import type { KernelFiles } from "../hardware/files.ts";
import { labelIn } from "./kernel-files.ts";

/**
 * Drivers of the kernel that do not keep to the units of Documentation/ABI/testing/sysfs-bus-iio. Whether this kernel's
 * does shows in the number itself, because both ranges are far apart: one that was mended is read as it is.
 */
interface Quirk {
  /** The chip as the kernel calls it. */
  readonly chip: RegExp;
  readonly type: string;
  /** `value` is in the unit that the kernel's should be. */
  applies(value: number, scale: number): boolean;
  /** To the unit that it should be. */
  readonly factor: number;
}

const quirks: readonly Quirk[] = [
  // drivers/iio/adc/mcp3422.c gives volts (kernel bug 220543), a scale of 0.001 at most; in millivolts it is 0.00195 at least.
  { chip: /^mcp342[1-8]$/, type: "voltage", applies: (_, scale) => scale < 0.0015, factor: 1000 },
  // drivers/iio/chemical/bme680_core.c gave hPa before commit ae1f7b93b52 (2024). It measures 30 to 110 kPa.
  { chip: /^bme680$/, type: "pressure", applies: (value) => value > 200, factor: 0.1 },
  // The same file gives per cent, which in thousandths would be less than 0.1 %.
  { chip: /^bme680$/, type: "humidityrelative", applies: (value) => value <= 100, factor: 1000 },
];

/** What the value is to be multiplied with to be in the ABI's unit. */
export function mending(chip: string, type: string, value: number, scale: number): number {
  const quirk = quirks.find((each) => each.type === type && each.chip.test(chip));
  return quirk?.applies(value, scale) ? quirk.factor : 1;
}

/** The chip behind a device: some drivers name their device after its place, and the I2C client above it knows better. */
export async function chipBehind(files: KernelFiles, directory: string, name: string): Promise<string> {
  const device = await files.resolve(directory);
  return (await labelIn(files, `${device.slice(0, device.lastIndexOf("/"))}/name`)) ?? name;
}
