import { GatewayError } from "../core/errors.ts";
import type { Gpio, Pin, Pins } from "../hardware/gpio.ts";
import type { Hardware } from "../hardware/hardware.ts";
import type { DeviceAddress } from "./open-device.ts";

/** The pins that a device's options name: the Pi's own, and those of expanders, by their devices' ids. */
export function pinsOf(hardware: Hardware, expanders: DeviceAddress["expanders"] = {}): Pins {
  const portOf = async (pin: Pin): Promise<[Gpio, number]> => {
    if (typeof pin === "number") return [await hardware.gpio(), pin];
    const place = expanders[pin.expander];
    if (!place) throw new GatewayError("CONFIG_INVALID", `there is no expander ${pin.expander}`);
    return [await hardware.expander(place), pin.pin];
  };
  return {
    async input(pin, wishes) {
      const [port, number] = await portOf(pin);
      return await port.input(number, wishes);
    },
    async output(pin, initial) {
      const [port, number] = await portOf(pin);
      return await port.output(number, initial);
    },
  };
}
