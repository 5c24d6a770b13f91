import type { I2cFinding } from "../../scan/address.ts";
import type { SuggestedDevice } from "../../scan/devices.ts";
import type { I2cScan } from "../../scan/i2c.ts";
import type { GpioChipFinding, KernelFinding } from "../../scan/kernel.ts";
import { renderTable } from "../table.ts";
import { type Configured, hex, kernelPlace, placeOf } from "./configured.ts";

export interface Findings {
  readonly i2c: I2cScan;
  readonly kernel: readonly KernelFinding[];
  readonly gpio: readonly GpioChipFinding[];
  readonly configured: Configured;
  readonly suggested: readonly SuggestedDevice[];
}

export function rendered(found: Findings): string {
  const rows = [...chipRows(found), ...kernelRows(found)];
  const pins = found.gpio.map(({ label, lines }) => `GPIO chip ${label} with ${lines} lines\n`).join("");
  const none = found.i2c.buses.length === 0 ? "no I2C bus: `sudo raspi-config`, Interface Options, enables it\n" : "";
  const hint =
    found.suggested.length > 0 ? "\n`fieldpost scan --write` prints the new ones for the configuration\n" : "";
  const table =
    rows.length > 0 ? renderTable([["WHERE", "WHAT", "DRIVER", "CONFIGURED"], ...rows]) : "no sensor found\n";
  return `${table}${pins}${none}${hint}`;
}

function chipRows({ i2c, configured }: Findings): string[][] {
  const known = [...configured.chips].map(([place, id]) => [place, "(not asked: it is configured)", "", id]);
  return [...known, ...i2c.findings.map(chipRow)].sort(([a = ""], [b = ""]) =>
    a.localeCompare(b, "en", { numeric: true }),
  );
}

function chipRow(found: I2cFinding): string[] {
  const place = placeOf(found.bus, found.address);
  switch (found.kind) {
    case "chip": {
      const serial = found.serial === undefined ? "" : `, serial ${found.serial}`;
      return [place, `${found.model ?? found.driver.title}${serial}`, found.driver.name, ""];
    }
    case "kernel":
      return [place, `${found.name}, which a kernel driver has: see IIO or hwmon`, "", ""];
    case "multiplexer":
      return [place, "TCA9548A, a multiplexer", "", ""];
    case "expander": {
      const names = ["pcf8574", ...found.candidates.map(({ name }) => name)].join(", ");
      return [
        place,
        `${names}: not asked, as a PCF8574 would switch its outputs; --ask ${hex(found.address)} does`,
        "",
        "",
      ];
    }
    case "unknown": {
      const names = found.candidates.map(({ name }) => name).join(", ");
      return [place, names ? `something that tells no identity: perhaps ${names}` : "a chip that is not known", "", ""];
    }
  }
}

function kernelRows({ kernel, configured }: Findings): string[][] {
  return kernel.map((one) => [
    one.driver.name,
    one.title,
    one.driver.name,
    configured.kernel.get(kernelPlace(one)) ?? "",
  ]);
}

export function asJson({ i2c, kernel, gpio, configured, suggested }: Findings) {
  return {
    buses: i2c.buses,
    chips: i2c.findings.map(({ bus, address, ...found }) => ({
      bus,
      address: hex(address),
      ...(found.kind === "chip" && { driver: found.driver.name, model: found.model, serial: found.serial }),
      ...(found.kind === "multiplexer" && { multiplexer: true }),
      ...(found.kind === "kernel" && { kernel: found.name }),
      ...((found.kind === "unknown" || found.kind === "expander") && {
        candidates: found.candidates.map(({ name }) => name),
      }),
    })),
    kernel: kernel.map(({ driver, title, options }) => ({ driver: driver.name, title, options })),
    gpio,
    configured: Object.fromEntries([...configured.chips, ...configured.kernel]),
    problems: i2c.problems,
    suggested,
  };
}
