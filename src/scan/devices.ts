import type { I2cFinding } from "./address.ts";
import type { KernelFinding } from "./kernel.ts";

/** A device as the configuration would have it. */
export type SuggestedDevice = Readonly<Record<"id" | "driver", string>> & Readonly<Record<string, string>>;

/** A device for each thing that was found and is not configured yet; ids that are taken get a number. */
export function suggestDevices(
  chips: readonly I2cFinding[],
  kernel: readonly KernelFinding[],
  taken: ReadonlySet<string>,
): SuggestedDevice[] {
  const ids = new Set(taken);
  const idFor = (wanted: string): string => {
    const base = wanted
      .toLowerCase()
      .replaceAll(/[^a-z0-9_-]+/g, "_")
      .slice(0, 56);
    let id = base;
    for (let n = 2; ids.has(id); n++) id = `${base}_${n}`;
    ids.add(id);
    return id;
  };
  const onBuses = chips.flatMap((found): SuggestedDevice[] => {
    if (found.kind !== "chip") return [];
    const { bus, address, driver } = found;
    return [{ id: idFor(driver.name), driver: driver.name, bus, address: `0x${address.toString(16)}` }];
  });
  const inKernel = kernel.map(({ driver, options }): SuggestedDevice => {
    const [which] = Object.values(options);
    return {
      id: idFor(which === undefined ? driver.name : `${driver.name}_${which}`),
      driver: driver.name,
      ...options,
    };
  });
  return [...onBuses, ...inKernel];
}

/** YAML for under `devices:`, a line each. */
export function devicesYaml(devices: readonly SuggestedDevice[]): string {
  const lines = devices.map((device) => {
    const entries = Object.entries(device).map(([key, value]) => `${key}: ${scalar(value)}`);
    return `  - { ${entries.join(", ")} }\n`;
  });
  return `devices:\n${lines.join("")}`;
}

/** Plain where YAML takes it as text (an address as a number), else in quotes. */
function scalar(text: string): string {
  return /^(0x[0-9a-f]+|[A-Za-z][A-Za-z0-9_-]*|28-[0-9a-f]*[a-f][0-9a-f]*)$/.test(text) &&
    !/^(true|false|null|yes|no|on|off)$/i.test(text)
    ? text
    : JSON.stringify(text);
}
