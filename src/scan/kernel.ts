import { isGatewayError } from "../core/errors.ts";
import type { Driver, FilesDriver, Found } from "../drivers/driver.ts";
import type { KernelFiles } from "../hardware/files.ts";

export interface KernelFinding extends Found {
  readonly driver: FilesDriver;
}

/** What the kernel reads for us: 1-Wire probes, IIO and hwmon devices. */
export async function scanKernel(files: KernelFiles, drivers: readonly Driver[]): Promise<KernelFinding[]> {
  const findings: KernelFinding[] = [];
  for (const driver of drivers) {
    if (driver.port !== "files" || !driver.find) continue;
    for (const found of await driver.find(files)) findings.push({ ...found, driver });
  }
  return findings;
}

export interface GpioChipFinding {
  readonly label: string;
  readonly lines: number;
}

const GPIO_ROOT = "/sys/class/gpio";

/** GPIO chips by their labels, as sysfs shows them. */
export async function scanGpioChips(files: KernelFiles): Promise<GpioChipFinding[]> {
  const names = (await files.list(GPIO_ROOT)).filter((name) => /^gpiochip\d+$/.test(name));
  const found: GpioChipFinding[] = [];
  for (const name of names) {
    try {
      const [label, lines] = [
        await files.read(`${GPIO_ROOT}/${name}/label`),
        await files.read(`${GPIO_ROOT}/${name}/ngpio`),
      ];
      found.push({ label: label.trim(), lines: Number(lines) });
    } catch (error) {
      // It was unplugged meanwhile.
      if (!isGatewayError(error, "NOT_FOUND")) throw error;
    }
  }
  return found;
}
