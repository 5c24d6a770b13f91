import { z } from "zod";
import { type Driver, type ExpanderDriver, type I2cDriver, isOnI2c } from "../../drivers/driver.ts";
import { i2cBusName, SIMULATED } from "../bus-name.ts";
import { nearest } from "../suggest.ts";

/** `bus` and `address` of a device, as far as its driver has them. */
export function busOptions(driver: Driver): z.ZodRawShape {
  if (isOnI2c(driver)) return { bus: i2cBus().prefault("i2c-1"), address: chipAddress(driver) };
  return { bus: (driver.port === "planned" ? i2cBus() : localBus(driver)).optional() };
}

function i2cBus() {
  return z
    .union([z.string(), z.int()])
    .transform((written, context) => {
      const name = i2cBusName(written);
      if (name) return name;
      context.issues.push({
        code: "custom",
        message: "expected a bus: its number, `i2c-1`, `i2c-1/mux@0x70/3`, or `sim`",
        input: written,
      });
      return z.NEVER;
    })
    .describe(
      "I2C bus: a number, a name such as `i2c-1` or, behind a multiplexer, `i2c-1/mux@0x70/3`, or `sim` for a simulated one",
    );
}

function localBus(driver: Driver) {
  return z
    .union([z.string(), z.int()])
    .transform((written, context) => {
      if (written === SIMULATED) return SIMULATED;
      const message = `a \`${driver.name}\` has no bus to choose: leave \`bus\` out, or write \`sim\` for a simulated one`;
      context.issues.push({ code: "custom", message, input: written });
      return z.NEVER;
    })
    .describe("`sim` for a simulated one; otherwise left out");
}

function chipAddress({ name, addresses }: I2cDriver | ExpanderDriver) {
  return z
    .union([z.int(), z.string()])
    .transform((written, context) => {
      const address = Number(written);
      if (addresses.includes(address)) return address;
      const message = `a ${name} has ${listOf(addresses)}${meantAddress(String(written), addresses)}`;
      context.issues.push({ code: "custom", message, input: written });
      return z.NEVER;
    })
    .prefault(hex(addresses[0]))
    .describe(`I2C address: ${listOf(addresses)}`);
}

/** `76` was meant as `0x76`; else the nearest that the chip can have. */
function meantAddress(written: string, addresses: readonly number[]): string {
  const asHex = Number.parseInt(written, 16);
  const meant = addresses.includes(asHex) ? hex(asHex) : nearest(hex(Number(written)), addresses.map(hex));
  return meant ? `; did you mean \`${meant}\`?` : "";
}

/** Three or more in a row are a range. */
function listOf(addresses: readonly number[]): string {
  const sorted = [...addresses].sort((a, b) => a - b);
  const runs = sorted.reduce<number[][]>((found, address) => {
    const run = found.at(-1);
    if (run && run.at(-1) === address - 1) run.push(address);
    else found.push([address]);
    return found;
  }, []);
  const parts = runs.flatMap((run) =>
    run.length > 2 ? [`${hex(run[0] ?? 0)} to ${hex(run.at(-1) ?? 0)}`] : run.map(hex),
  );
  return parts.length > 1 ? `${parts.slice(0, -1).join(", ")} or ${parts.at(-1)}` : (parts[0] ?? "");
}

function hex(address: number): string {
  return `0x${address.toString(16).padStart(2, "0")}`;
}
