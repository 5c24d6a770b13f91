import type { Clock } from "../../core/clock.ts";
import { GatewayError } from "../../core/errors.ts";
import { busName } from "../bus-name.ts";
import type { Expander } from "../expander/expander.ts";
import { openExpander } from "../expander/models.ts";
import type { Hardware } from "../hardware.ts";
import { hexAddress } from "../transfer.ts";
import type { SimulatedChip, World } from "./chip.ts";
import { simulatedChips } from "./chips.ts";
import { SimulatedFiles, type Tree } from "./files.ts";
import { SimulatedGpio } from "./gpio.ts";
import { SimulatedI2cBus } from "./i2c-bus.ts";
import type { Placement } from "./placement.ts";
import { SimulatedPwm } from "./pwm.ts";
import { simulatedTrees } from "./trees.ts";
import { simulatedWorld } from "./world.ts";

export interface SimulatedHardware extends Hardware {
  i2c(bus: string): Promise<SimulatedI2cBus>;
  gpio(): Promise<SimulatedGpio>;
  pwm(): Promise<SimulatedPwm>;
  readonly files: SimulatedFiles;
}

export interface SimulatedHardwareOptions {
  readonly clock: Pick<Clock, "monoMs" | "sleep">;
  readonly placements: readonly Placement[];
  readonly world?: World;
  /** More files than the placements bring. */
  readonly tree?: Tree;
}

const DEFAULT_BUS = "sim";

/**
 * Simulated hardware for the placed devices, and nothing else. Throws CONFIG_INVALID where a device has no simulated
 * counterpart, or where two have one address.
 */
export function simulatedHardware(options: SimulatedHardwareOptions): SimulatedHardware {
  const { clock, placements, world = simulatedWorld(clock), tree } = options;
  const buses = new Map<string, SimulatedI2cBus>([[DEFAULT_BUS, new SimulatedI2cBus(DEFAULT_BUS, clock)]]);
  const files = new SimulatedFiles(tree);
  const gpio = new SimulatedGpio(world, clock);
  const pwm = new SimulatedPwm();

  const busOf = ({ bus = DEFAULT_BUS }: Placement) => {
    const name = busName(bus);
    const found = buses.get(name) ?? new SimulatedI2cBus(name, clock);
    buses.set(name, found);
    return found;
  };
  placements.forEach((placement, index) => {
    const chipOf = simulatedChips[placement.driver];
    const treeOf = simulatedTrees[placement.driver];
    if (chipOf) plug(busOf(placement), placement, chipOf(world));
    else if (treeOf) files.put(treeOf(world, placement, index));
    else if (placement.pin === undefined) throw new GatewayError("CONFIG_INVALID", noCounterpart(placement));
  });

  const i2c = async (name: string) => {
    const bus = buses.get(busName(name));
    if (!bus) throw new GatewayError("BUS_MISSING", `there is no bus ${name}: ${[...buses.keys()].join(", ")}`);
    return bus;
  };
  const expanders = new Map<string, Expander>();

  return {
    files,
    i2c,
    async expander(place) {
      const key = JSON.stringify(place);
      const bus = await i2c(place.bus);
      const open = expanders.get(key) ?? openExpander(place, bus, clock, (pin) => gpio.input(pin));
      expanders.set(key, open);
      return open;
    },
    gpio: async () => gpio,
    pwm: async () => pwm,
    async [Symbol.asyncDispose]() {
      await Promise.all(
        [gpio, pwm, ...expanders.values(), ...buses.values()].map((port) => port[Symbol.asyncDispose]()),
      );
    },
  };
}

function plug(bus: SimulatedI2cBus, { id, driver, address }: Placement, chip: SimulatedChip): void {
  if (address === undefined)
    throw new GatewayError("CONFIG_INVALID", `${id}: ${driver} needs an address on ${bus.name}`);
  if (bus.has(address)) {
    throw new GatewayError("CONFIG_INVALID", `${id}: there is another chip at ${hexAddress(address)} on ${bus.name}`);
  }
  bus.plug(address, chip);
}

function noCounterpart({ id, driver }: Placement): string {
  const known = [...Object.keys(simulatedChips), ...Object.keys(simulatedTrees)].sort();
  return `${id}: ${driver} cannot be simulated; these can: ${known.join(", ")}, and every pin`;
}
