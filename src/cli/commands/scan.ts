import { GatewayError } from "../../core/errors.ts";
import { drivers } from "../../drivers/registry.ts";
import { busName, muxOf } from "../../hardware/bus-name.ts";
import { linuxClock } from "../../hardware/clock.ts";
import type { Hardware } from "../../hardware/hardware.ts";
import { linuxHardware } from "../../hardware/linux/hardware.ts";
import { devicesYaml, suggestDevices } from "../../scan/devices.ts";
import { type I2cScanOptions, i2cBuses, scanI2c } from "../../scan/i2c.ts";
import { scanGpioChips, scanKernel } from "../../scan/kernel.ts";
import { type Command, EXIT, type Invocation } from "../command.ts";
import { type Configured, configOf, configuredIn, kernelPlace, placeOf } from "../scan/configured.ts";
import { asJson, type Findings, rendered } from "../scan/report.ts";
import { isServiceRunning } from "../service-access.ts";

export const scan: Command = {
  name: "scan",
  summary: "find sensors: chips on every I2C bus by their identity, 1-Wire, IIO, hwmon, and the GPIO chips",
  options: [
    { flags: "--write", about: "print the new ones as `devices:`, ready to paste" },
    { flags: "--bus <BUS...>", about: "only these I2C buses; `i2c-1/mux@0x70/3` is one behind a TCA9548A" },
    {
      flags: "--ask <ADDRESS...>",
      about: "ask also what may be a PCF8574, whose outputs the question switches: `--ask 0x39`",
    },
  ],
  printsData: true,
  example: "fieldpost scan --write",
  async run(invocation) {
    const { io, options, json } = invocation;
    const clock = linuxClock();
    await using hardware = linuxHardware(clock);
    const configured = configuredIn(await configOf(invocation));
    const memory = { load: () => undefined, save: () => undefined };
    const ask = new Set(texts(options.ask).map(addressOf));
    const chosen = texts(options.bus).map(busName);
    const buses = chosen.length > 0 ? chosen : await i2cBuses(hardware.files);
    const shared = await inUse(buses, configured, invocation);
    if (shared !== undefined) {
      io.err(
        `error: the running service switches a multiplexer on ${shared}\n  stop it, then scan again: \`sudo systemctl stop fieldpost\`\n`,
      );
      return EXIT.unreachable;
    }
    const found = await look(hardware, buses, configured, { context: { clock, memory }, ask });
    if (json) io.out(`${JSON.stringify(asJson(found))}\n`);
    else if (options.write === true) io.out(devicesYaml(found.suggested));
    else io.out(rendered(found));
    if (!json) for (const { bus, message } of found.i2c.problems) io.err(`${bus}: ${message}\n`);
    return found.i2c.problems.length === 0 ? EXIT.ok : EXIT.unreachable;
  },
};

async function look(
  hardware: Hardware,
  buses: readonly string[],
  configured: Configured,
  how: Pick<I2cScanOptions, "context" | "ask">,
): Promise<Findings> {
  const skip = (bus: string, address: number) => configured.chips.has(placeOf(bus, address));
  const i2c = await scanI2c(hardware, buses, { ...how, drivers, skip });
  const kernel = await scanKernel(hardware.files, drivers);
  const gpio = await scanGpioChips(hardware.files);
  const fresh = kernel.filter((one) => !configured.kernel.has(kernelPlace(one)));
  return { i2c, kernel, gpio, configured, suggested: suggestDevices(i2c.findings, fresh, configured.ids) };
}

/** Two who switch a multiplexer between each other's transfers read each other's chips. */
async function inUse(
  buses: readonly string[],
  { muxBuses }: Configured,
  invocation: Invocation,
): Promise<string | undefined> {
  const parents = new Set(muxBuses.flatMap((bus) => muxOf(bus)?.parent ?? []));
  const shared = buses.find((bus) => parents.has(muxOf(bus)?.parent ?? bus));
  return shared !== undefined && (await isServiceRunning(invocation)) ? shared : undefined;
}

const texts = (option: unknown): string[] => (Array.isArray(option) ? option.map(String) : []);

function addressOf(text: string): number {
  const address = /^(0x[0-9a-f]{1,2}|\d{1,3})$/i.test(text) ? Number(text) : Number.NaN;
  if (address >= 0x08 && address <= 0x77) return address;
  throw new GatewayError("USAGE_INVALID", `--ask ${text}: not an I2C address (0x08 to 0x77)`);
}
