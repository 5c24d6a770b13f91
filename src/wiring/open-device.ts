import type { Driver, DriverContext, Options, Sensor } from "../drivers/driver.ts";
import { expanderPlace } from "../drivers/expander-place.ts";
import type { ExpanderPlace } from "../hardware/expander/models.ts";
import type { Hardware } from "../hardware/hardware.ts";
import { i2cDevice } from "../hardware/i2c.ts";
import { simulatedHardware } from "../hardware/simulated/hardware.ts";
import { pinsOf } from "./pins.ts";

/** Which device on which hardware: what the configuration says of it. */
export interface DeviceAddress {
  readonly id: string;
  readonly driver: Driver;
  readonly bus: string;
  readonly address?: number;
  readonly options: Options;
  /** Those that its options name, by their devices' ids. */
  readonly expanders?: Readonly<Record<string, ExpanderPlace>>;
}

/** The bus name that stands for simulated hardware, for every driver. */
export const SIMULATED_BUS = "sim";

/**
 * Opens a device on this machine's hardware, or, on the bus `sim`, on simulated hardware of its own.
 * Rejects with the driver's or the port's GatewayError.
 */
export async function openDevice(device: DeviceAddress, hardware: Hardware, context: DriverContext): Promise<Sensor> {
  const expanders = Object.entries(device.expanders ?? {});
  const isSimulated = [device, ...expanders.map(([, place]) => place)].some(({ bus }) => bus === SIMULATED_BUS);
  if (!isSimulated) return await openOn(hardware, device, context);
  const simulated = simulatedHardware({
    clock: context.clock,
    placements: [
      { ...device, driver: device.driver.name, pin: device.options.pin },
      ...expanders.map(([id, { model, bus, address }]) => ({ id, driver: model, bus, address })),
    ],
  });
  const sensor = await openOn(simulated, device, context);
  return {
    ...sensor,
    read: (signal) => sensor.read(signal),
    async close() {
      await sensor.close?.();
      await simulated[Symbol.asyncDispose]();
    },
  };
}

async function openOn(hardware: Hardware, device: DeviceAddress, context: DriverContext): Promise<Sensor> {
  const { driver, options } = device;
  switch (driver.port) {
    case "i2c": {
      const bus = await hardware.i2c(device.bus);
      return await driver.open(i2cDevice(bus, device.address ?? driver.addresses[0]), options, context);
    }
    case "files":
      return await driver.open(hardware.files, options, context);
    case "gpio":
      return await driver.open(pinsOf(hardware, device.expanders), options, context);
    case "expander": {
      const place = expanderPlace(device);
      if (!place) throw new Error(`${driver.name} is no expander`);
      return await driver.open(await hardware.expander(place), options, context);
    }
    case "pwm":
      return await driver.open(await hardware.pwm(), options, context);
    case "planned":
      throw new Error(`${driver.name} cannot be opened yet`);
  }
}
