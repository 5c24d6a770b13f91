import { type Driver, isOnI2c } from "../../drivers/driver.ts";
import { i2cBusName, SIMULATED } from "../bus-name.ts";
import { isMapping, mappingsAt, type Path, pathText, valueAt } from "../paths.ts";
import { errorAt, type Finding } from "../problems.ts";
import { channelFindings } from "./channels.ts";
import { expanderFindings, pinName } from "./pins.ts";

/**
 * Rules between devices. They look at what was written, not at what the schema made of it, so that they are told along
 * with every other mistake.
 */
export function deviceFindings(tree: unknown, drivers: readonly Driver[]): Finding[] {
  const byName = new Map(
    drivers.flatMap((driver) => [driver.name, ...(driver.aliases ?? [])].map((name) => [name, driver])),
  );
  const devices = mappingsAt(tree, ["devices"]).map(({ path, value }) => ({
    path,
    value,
    driver: typeof value.driver === "string" ? byName.get(value.driver) : undefined,
  }));
  return [
    ...claimedTwice(devices.flatMap(idClaims)),
    ...claimedTwice(devices.flatMap(pinClaims)),
    ...claimedTwice(devices.flatMap(addressClaims)),
    ...claimedTwice(devices.flatMap(sensorClaims)),
    ...claimedTwice(firstOfEachId(devices).flatMap(entityClaims)),
    ...previousIdFindings(devices),
    ...expanderFindings(devices),
    ...devices.flatMap(plannedFindings),
    ...devices.flatMap(({ path, value, driver }) => channelFindings(path, value, driver)),
  ];
}

interface Device {
  readonly path: Path;
  readonly value: Record<string, unknown>;
  readonly driver: Driver | undefined;
}

/** Something that only one device can have. */
interface Claim {
  readonly thing: string;
  readonly owner: string;
  readonly at: Path;
  readonly remedy: string;
}

function claimedTwice(claims: readonly Claim[]): Finding[] {
  const first = new Map<string, Claim>();
  return claims.flatMap((claim) => {
    const taken = first.get(claim.thing);
    if (!taken) first.set(claim.thing, claim);
    return taken ? [errorAt(claim.at, `${claim.thing} is taken already by ${taken.owner}: ${claim.remedy}`)] : [];
  });
}

function idClaims({ path, value }: Device): Claim[] {
  if (typeof value.id !== "string") return [];
  const remedy = "every device has an id of its own";
  return [{ thing: `the id \`${value.id.slice(0, 64)}\``, owner: pathText(path), at: [...path, "id"], remedy }];
}

function pinClaims({ path, value }: Device): Claim[] {
  const where = value.bus === SIMULATED ? "simulated pin" : "pin";
  return Object.entries(value).flatMap(([key, pin]) => {
    const name = key === "pin" || key === "pin_b" || key.endsWith("_pin") ? pinName(where, pin) : undefined;
    if (name === undefined) return [];
    return [{ thing: name, owner: nameOf(path, value), at: [...path, key], remedy: "a pin serves one device" }];
  });
}

function addressClaims({ path, value, driver }: Device): Claim[] {
  if (!driver || !isOnI2c(driver)) return [];
  const address = value.address === undefined ? driver.addresses[0] : Number(value.address);
  const bus = i2cBusName(value.bus ?? "i2c-1");
  if (bus === undefined || !Number.isInteger(address)) return [];
  const remedy = "give one of the two another address (most chips have a pin for it) or another bus";
  const at = value.address === undefined ? [...path, "driver"] : [...path, "address"];
  return [{ thing: `0x${address.toString(16).padStart(2, "0")} on ${bus}`, owner: nameOf(path, value), at, remedy }];
}

/** On 1-Wire the id is the address. */
function sensorClaims({ path, value }: Device): Claim[] {
  if (typeof value.sensor !== "string") return [];
  const where = value.bus === SIMULATED ? "simulated sensor" : "sensor";
  const remedy = "each sensor on the bus has an id of its own";
  return [
    { thing: `${where} ${value.sensor.slice(0, 64)}`, owner: nameOf(path, value), at: [...path, "sensor"], remedy },
  ];
}

/** What two devices of one id have in common is the id's fault. */
function firstOfEachId(devices: readonly Device[]): Device[] {
  return devices.filter(({ value }, index) => devices.findIndex((other) => other.value.id === value.id) === index);
}

/** Home Assistant's id of an entity joins both, and it drops the second of two: `a` with `b_c` and `a_b` with `c`. */
function entityClaims({ path, value, driver }: Device): Claim[] {
  if (typeof value.id !== "string") return [];
  const { id } = value;
  const written = [value.channels, value.computed].flatMap((part) => (isMapping(part) ? Object.keys(part) : []));
  const keys = new Set([...Object.keys(driver?.channels ?? {}), ...written]);
  const hasOther = (key: string) =>
    ["channels", "computed"].some((part) => valueAt(value, [part, key, "home_assistant", "unique_id"]) !== undefined);
  const remedy = "in Home Assistant both would be one: give the device another id, or the channel another key";
  return [...keys]
    .filter((key) => !hasOther(key))
    .map((key) => ({
      thing: `the entity \`${`${id}_${key}`.slice(0, 128)}\``,
      owner: `\`${id.slice(0, 64)}\``,
      at: [...path, "id"],
      remedy,
    }));
}

function previousIdFindings(devices: readonly Device[]): Finding[] {
  const ids = new Set(devices.map(({ value }) => value.id));
  return devices.flatMap(({ path, value }) => {
    if (typeof value.previous_id !== "string" || !ids.has(value.previous_id)) return [];
    return [
      errorAt(
        [...path, "previous_id"],
        "a device of this id is still here: an id can only be taken over when it is free",
      ),
    ];
  });
}

function plannedFindings({ path, driver }: Device): Finding[] {
  if (driver?.port !== "planned") return [];
  const message = `not active yet: the driver ${driver.name} (\`run\` leaves this device out)`;
  return [{ severity: "inactive", message, at: { path: [...path, "driver"], part: "value" } }];
}

function nameOf(path: Path, value: Record<string, unknown>): string {
  return typeof value.id === "string" ? `\`${value.id.slice(0, 64)}\`` : pathText(path);
}
