import type { Driver, ExpanderDriver } from "../../drivers/driver.ts";
import { isMapping, type Path } from "../paths.ts";
import { errorAt, type Finding } from "../problems.ts";

/** A pin as one names it, so that two devices that name the same one are found; undefined for what is none. */
export function pinName(where: string, pin: unknown): string | undefined {
  if (typeof pin === "number") return `${where} ${pin}`;
  if (!isMapping(pin)) return undefined;
  const { chip, channel, expander, pin: number } = pin;
  if (typeof chip === "string" && typeof channel === "number") return `channel ${channel} of ${chip.slice(0, 64)}`;
  if (typeof expander === "string" && typeof number === "number")
    return `pin ${number} of \`${expander.slice(0, 64)}\``;
  return undefined;
}

interface Device {
  readonly path: Path;
  readonly value: Record<string, unknown>;
  readonly driver: Driver | undefined;
}

/** Pins of expanders that are not there, and that those that are there do not have. */
export function expanderFindings(devices: readonly Device[]): Finding[] {
  const byId = new Map(devices.map((device) => [device.value.id, device.driver]));
  return devices.flatMap(({ path, value }) =>
    Object.entries(value).flatMap(([key, pin]) => {
      if (!isMapping(pin) || typeof pin.expander !== "string") return [];
      const driver = byId.get(pin.expander);
      if (driver?.port !== "expander") return [errorAt([...path, key, "expander"], noExpander(pin.expander, devices))];
      return [...pullFindings(path, value.pull, driver), ...pinFindings([...path, key, "pin"], pin.pin, driver)];
    }),
  );
}

function pinFindings(at: Path, pin: unknown, { name, lines }: ExpanderDriver): Finding[] {
  return typeof pin === "number" && pin >= lines ? [errorAt(at, `a ${name} has the pins 0 to ${lines - 1}`)] : [];
}

function pullFindings(path: Path, pull: unknown, { name, pulls }: ExpanderDriver): Finding[] {
  if (pull === undefined || pulls.some((one) => one === pull)) return [];
  return [errorAt([...path, "pull"], `a ${name} has no such resistor: ${pulls.join(" or ")}`)];
}

function noExpander(id: string, devices: readonly Device[]): string {
  const known = devices.flatMap(({ driver, value }) => (driver?.port === "expander" ? [String(value.id)] : []));
  const hint = known.length > 0 ? `there is ${known.join(", ")}` : "it needs a device of its own, such as a `mcp23017`";
  return `there is no expander \`${id.slice(0, 64)}\`; ${hint}`;
}
