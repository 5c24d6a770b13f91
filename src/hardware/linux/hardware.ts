import type { Clock } from "../../core/clock.ts";
import { GatewayError } from "../../core/errors.ts";
import { busName, muxOf } from "../bus-name.ts";
import type { Expander } from "../expander/expander.ts";
import { openExpander } from "../expander/models.ts";
import type { Gpio } from "../gpio.ts";
import type { Hardware } from "../hardware.ts";
import type { I2cBus } from "../i2c.ts";
import { openMuxBus } from "../mux.ts";
import type { Pwm } from "../pwm.ts";
import { type LinuxFiles, linuxFiles } from "./files.ts";
import type { OpenLine } from "./gpio.ts";
import { openPins } from "./gpio-backends.ts";
import type { GpioTools } from "./gpio-tools.ts";
import { type OpenI2cHandle, openLinuxI2cBus } from "./i2c.ts";
import { LinuxPwm } from "./pwm.ts";

/** The libraries and the file system under the ports; the real ones unless a test says otherwise. */
export interface LinuxHost {
  readonly files?: LinuxFiles;
  readonly openI2cHandle?: OpenI2cHandle;
  readonly openLine?: OpenLine;
  readonly gpioTools?: GpioTools;
}

/** This machine's buses, pins and files. Nothing is opened before it is asked for; what could not be opened is tried anew. */
export function linuxHardware(clock: Pick<Clock, "monoMs" | "sleep">, host: LinuxHost = {}): Hardware {
  const { files = linuxFiles(), openI2cHandle, openLine, gpioTools: tools } = host;
  const ports = new Map<string, Promise<AsyncDisposable>>();
  let closed = false;

  const once = <T extends AsyncDisposable>(name: string, open: () => Promise<T>): Promise<T> => {
    if (closed) return Promise.reject(new GatewayError("CANCELLED", `the hardware is closed: ${name}`));
    const port = (ports.get(name) as Promise<T> | undefined) ?? open();
    ports.set(name, port);
    port.catch(() => ports.delete(name));
    return port;
  };

  const i2c = (bus: string): Promise<I2cBus> => {
    const name = busName(bus);
    const mux = muxOf(name);
    if (!mux) return once<I2cBus>(name, () => openLinuxI2cBus(name, openI2cHandle));
    return once<I2cBus>(name, async () => openMuxBus(name, await i2c(mux.parent), mux));
  };

  const gpio = () =>
    once<Gpio>("gpio", () => openPins({ files, clock, ...(openLine && { openLine }), ...(tools && { tools }) }));
  const openPin = async (pin: number) => await (await gpio()).input(pin, { kernelTime: true });

  return {
    files,
    i2c,
    gpio,
    expander: (place) =>
      once<Expander>(JSON.stringify(place), async () => openExpander(place, await i2c(place.bus), clock, openPin)),
    pwm: () => once<Pwm>("pwm", async () => new LinuxPwm(files, clock)),
    async [Symbol.asyncDispose]() {
      closed = true;
      await Promise.all([...ports.values()].map(disposeOf));
    },
  };
}

async function disposeOf(opening: Promise<AsyncDisposable>): Promise<void> {
  const port = await opening.catch(() => undefined);
  await port?.[Symbol.asyncDispose]();
}
