import { z } from "zod";
import { type Driver, type DriverContext, type DriverMemory, isOnI2c, type Sensor } from "../../src/drivers/driver.ts";
import { expanderPlace } from "../../src/drivers/expander-place.ts";
import { i2cDevice } from "../../src/hardware/i2c.ts";
import { type SimulatedHardware, simulatedHardware } from "../../src/hardware/simulated/hardware.ts";
import { FakeClock } from "../fakes/clock.ts";

/** A driver on simulated hardware, and a clock that runs while something is waited for. */
export interface Bench {
  readonly clock: FakeClock;
  readonly context: DriverContext;
  readonly hardware: SimulatedHardware;
  open(): Promise<Sensor>;
  /** Waits for `work` while simulated time passes. */
  letPass<T>(work: Promise<T>): Promise<T>;
}

/** Nothing that a driver does takes longer. */
const PATIENCE_MS = 20_000;
const STEP_MS = 0.5;

export function bench(driver: Driver, written: Readonly<Record<string, unknown>> = {}): Bench {
  const clock = new FakeClock({ monoMs: 3_600_000 });
  const options = z.strictObject(driver.options).parse(written);
  const address = isOnI2c(driver) ? driver.addresses[0] : undefined;
  const { pin } = options;
  const hardware = simulatedHardware({
    clock,
    placements: [
      {
        id: "it",
        driver: driver.name,
        options,
        ...(address !== undefined && { address }),
        ...(pin !== undefined && { pin }),
      },
    ],
  });
  let kept: string | undefined;
  const memory: DriverMemory = {
    load: () => kept,
    save(text) {
      kept = text;
    },
  };
  const context = { clock, memory };
  return { clock, context, hardware, open: () => openOn(driver, hardware, options, context), letPass: letPass(clock) };
}

async function openOn(driver: Driver, hardware: SimulatedHardware, options: unknown, context: DriverContext) {
  switch (driver.port) {
    case "i2c":
      return await driver.open(i2cDevice(await hardware.i2c("sim"), driver.addresses[0]), options, context);
    case "files":
      return await driver.open(hardware.files, options, context);
    case "gpio":
      return await driver.open(await hardware.gpio(), options, context);
    case "pwm":
      return await driver.open(await hardware.pwm(), options, context);
    case "expander": {
      const place = expanderPlace({ id: "it", driver, bus: "sim", options });
      if (!place) throw new Error(`${driver.name} is no expander`);
      return await driver.open(await hardware.expander(place), options, context);
    }
    case "planned":
      throw new Error(`${driver.name} is planned`);
  }
}

function letPass(clock: FakeClock) {
  return async <T>(work: Promise<T>): Promise<T> => {
    let done = false;
    const settled = work.finally(() => {
      done = true;
    });
    settled.catch(() => undefined);
    const endMs = clock.monoMs() + PATIENCE_MS;
    while (!done && clock.monoMs() < endMs) await clock.advance(STEP_MS);
    if (!done) throw new Error("nothing happened for 20 s of simulated time");
    return await settled;
  };
}
