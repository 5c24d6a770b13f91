import { GatewayError } from "../../core/errors.ts";

/**
 * A chip at register level: it answers bytes as the datasheet says and refuses what the chip refuses. Used by `bus: sim`
 * and by the drivers' tests; it knows nothing of the drivers.
 */
export interface SimulatedChip {
  /** Bytes after the address. Throws `nack()` where the chip would not acknowledge. */
  write(bytes: Uint8Array): void;
  read(length: number): Uint8Array;
}

/** The physical world around the simulated chips: slow, smooth, and a function of time alone. */
export interface World {
  monoMs(): number;
  temperatureC(): number;
  humidityPercent(): number;
  pressureHpa(): number;
  illuminanceLx(): number;
  uvIndex(): number;
  co2Ppm(): number;
  tvocPpb(): number;
  /** Mass of particles up to 2.5 µm, in µg/m³. */
  pm25(): number;
  /** Of a supply, and what flows from it. */
  voltageV(): number;
  currentA(): number;
  distanceMm(): number;
  /** Of a shaft that turns. */
  angleDegrees(): number;
  /** A contact that opens and closes. */
  contact(pin: number): 0 | 1;
}

export type SimulatedChipFactory = (world: World) => SimulatedChip;

export function nack(address?: number): GatewayError {
  const where = address === undefined ? "" : ` at 0x${address.toString(16)}`;
  return new GatewayError("BUS_NACK", `no answer${where} on sim`);
}
