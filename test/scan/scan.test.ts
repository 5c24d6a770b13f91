import { describe, expect, test } from "vitest";
import { parse as parseYaml } from "yaml";
import type { I2cDriver } from "../../src/drivers/driver.ts";
import { drivers } from "../../src/drivers/registry.ts";
import { muxOf } from "../../src/hardware/bus-name.ts";
import type { I2cBus } from "../../src/hardware/i2c.ts";
import { openMuxBus } from "../../src/hardware/mux.ts";
import type { SimulatedChip, World } from "../../src/hardware/simulated/chip.ts";
import { simulatedChips } from "../../src/hardware/simulated/chips.ts";
import { simulatedHardware } from "../../src/hardware/simulated/hardware.ts";
import { simulatedWorld } from "../../src/hardware/simulated/world.ts";
import { devicesYaml, suggestDevices } from "../../src/scan/devices.ts";
import { i2cBuses, scanI2c } from "../../src/scan/i2c.ts";
import { scanGpioChips, scanKernel } from "../../src/scan/kernel.ts";
import { parse } from "../config/support.ts";
import { FakeClock } from "../fakes/clock.ts";
import { plugMultiplexer } from "../fakes/tca9548a.ts";

const BUS = { "/sys/bus/i2c/devices/i2c-1/name": "bcm2835 (i2c@7e804000)\n" };
const chips = drivers.filter(
  (driver): driver is I2cDriver => driver.port === "i2c" && simulatedChips[driver.name] !== undefined,
);

interface Placed {
  readonly driver: string;
  readonly address: number;
}

function machine(placed: readonly Placed[], tree: Readonly<Record<string, string>> = {}) {
  const clock = new FakeClock();
  const placements = placed.map((one, index) => ({ id: `d${index}`, bus: "i2c-1", ...one }));
  const hardware = simulatedHardware({ clock, placements, tree: { ...BUS, ...tree } });
  // As the adapter for Linux does it.
  const i2c = async (name: string): Promise<I2cBus> => {
    const mux = muxOf(name);
    return mux ? await openMuxBus(name, await i2c(mux.parent), mux) : await hardware.i2c(name);
  };
  const context = { clock, memory: { load: () => undefined, save: () => undefined } };
  const scan = async (skip: (bus: string, address: number) => boolean = () => false, ask?: ReadonlySet<number>) => {
    const scanning = scanI2c({ files: hardware.files, i2c }, await i2cBuses(hardware.files), {
      drivers,
      context,
      skip,
      ...(ask && { ask }),
    });
    let done = false;
    void scanning.finally(() => {
      done = true;
    });
    while (!done) await clock.advance(10);
    return await scanning;
  };
  return { hardware, scan };
}

describe("a scan of the I2C buses", () => {
  test.each(chips.map((driver) => [driver.name, driver] as const))(
    "finds a %s among all that share its addresses",
    async (_, driver) => {
      const [address] = driver.addresses;
      const { findings, problems } = await machine([{ driver: driver.name, address }]).scan();
      expect(problems).toEqual([]);
      const [found] = findings;
      expect(findings).toHaveLength(1);
      expect(found).toMatchObject({ bus: "i2c-1", address });
      if (found?.kind === "chip") expect(found.driver.name).toBe(driver.name);
      else if (found?.kind === "unknown") expect(found.candidates.map(({ name }) => name)).toContain(driver.name);
    },
  );

  test("leaves alone what it is told to, and what a kernel driver has", async () => {
    const bound = "/sys/bus/i2c/devices/1-0044";
    const tree = { [`${bound}/name`]: "sht4x\n", [`${bound}/driver/uevent`]: "" };
    const { scan } = machine(
      [
        { driver: "bme280", address: 0x76 },
        { driver: "sht4x", address: 0x44 },
      ],
      tree,
    );
    const { findings } = await scan((_bus, address) => address === 0x76);
    expect(findings).toEqual([{ bus: "i2c-1", address: 0x44, kind: "kernel", name: "sht4x" }]);
  });

  test("writes nothing to what may be an I/O expander, until it is told to", async () => {
    const { hardware, scan } = machine([{ driver: "bme280", address: 0x76 }]);
    const written: Uint8Array[] = [];
    const pins: SimulatedChip = {
      write: (bytes) => void written.push(bytes),
      read: (length) => new Uint8Array(length).fill(0xfe),
    };
    const bus = await hardware.i2c("i2c-1");
    bus.plug(0x20, pins);
    bus.plug(0x39, pins);
    const kinds = async (ask?: ReadonlySet<number>) =>
      (await scan(undefined, ask)).findings.map(({ kind, address }) => `0x${address.toString(16)} ${kind}`);
    expect(await kinds()).toEqual(["0x20 expander", "0x39 expander", "0x76 chip"]);
    expect(written).toEqual([]);
    expect(await kinds(new Set([0x39]))).toEqual(["0x20 expander", "0x39 unknown", "0x76 chip"]);
    expect(written.length).toBeGreaterThan(0);
  });

  test("looks behind a multiplexer, and finds there only what is not before it", async () => {
    const { hardware, scan } = machine([{ driver: "bme280", address: 0x76 }]);
    const bus = await hardware.i2c("i2c-1");
    const world = simulatedWorld(new FakeClock());
    const chip = (driver: string) => (simulatedChips[driver] as (world: World) => SimulatedChip)(world);
    plugMultiplexer(bus, 0x70, [
      new Map([[0x44, chip("sht4x")]]),
      new Map(),
      new Map(),
      new Map([[0x77, chip("bme280")]]),
    ]);
    const { buses, findings, problems } = await scan();
    expect(problems).toEqual([]);
    expect(buses).toHaveLength(9);
    expect(findings).toMatchObject([
      { bus: "i2c-1", address: 0x70, kind: "multiplexer" },
      { bus: "i2c-1", address: 0x76, kind: "chip" },
      { bus: "i2c-1/mux@0x70/0", address: 0x44, kind: "chip", driver: { name: "sht4x" } },
      { bus: "i2c-1/mux@0x70/3", address: 0x77, kind: "chip", driver: { name: "bme280" } },
    ]);
    const fromInUse = await scan((_bus, address) => address === 0x76);
    expect(fromInUse.findings.map(({ address }) => address)).toEqual([0x70, 0x44, 0x77]);
    const yaml = devicesYaml(suggestDevices(findings, [], new Set()));
    expect(parse(yaml, { drivers }).config.devices.map(({ bus }) => bus)).toEqual([
      "i2c-1",
      "i2c-1/mux@0x70/0",
      "i2c-1/mux@0x70/3",
    ]);
  });

  test("tells of a bus that cannot be opened, and goes on", async () => {
    const { scan } = machine([{ driver: "bme280", address: 0x76 }], { "/sys/bus/i2c/devices/i2c-0/name": "x\n" });
    const { buses, findings, problems } = await scan();
    expect(buses).toEqual(["i2c-0", "i2c-1"]);
    expect(problems).toMatchObject([{ bus: "i2c-0", code: "BUS_MISSING" }]);
    expect(findings).toMatchObject([{ kind: "chip", address: 0x76 }]);
  });
});

test("what was found makes a configuration that check accepts", async () => {
  const { hardware, scan } = machine(
    [
      { driver: "bme280", address: 0x76 },
      { driver: "bme280", address: 0x77 },
    ],
    { "/sys/bus/w1/devices/28-00155e000001/temperature": "21000\n" },
  );
  const { findings } = await scan();
  const kernel = await scanKernel(hardware.files, drivers);
  const yaml = devicesYaml(suggestDevices(findings, kernel, new Set(["bme280"])));
  const devices = parseYaml(yaml).devices as Record<string, unknown>[];
  expect(devices.slice(0, 2)).toEqual([
    { id: "bme280_2", driver: "bme280", bus: "i2c-1", address: 0x76 },
    { id: "bme280_3", driver: "bme280", bus: "i2c-1", address: 0x77 },
  ]);
  expect(devices).toContainEqual({
    id: "ds18b20_28-00155e000001",
    driver: "ds18b20",
    sensor: "28-00155e000001",
  });
  expect(parse(yaml, { drivers }).config.devices).toHaveLength(devices.length);
});

test("GPIO chips are told by their labels", async () => {
  const root = "/sys/class/gpio/gpiochip512";
  const { hardware } = machine([], { [`${root}/label`]: "pinctrl-bcm2711\n", [`${root}/ngpio`]: "54\n" });
  expect(await scanGpioChips(hardware.files)).toEqual([{ label: "pinctrl-bcm2711", lines: 54 }]);
});
