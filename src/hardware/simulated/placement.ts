/** Where a simulated device stands: what the configuration says of a device with `bus: sim`. */
export interface Placement {
  /** The device's id, for messages. */
  readonly id: string;
  /** The driver's name, not an alias of it. */
  readonly driver: string;
  /** Default `sim`. */
  readonly bus?: string;
  /** For chips on I2C. */
  readonly address?: number;
  /** Its pin, where it has one: every pin is simulated. */
  readonly pin?: unknown;
  /** The driver's own options, where they say which hardware it is: `sensor: 28-00155e000001`. */
  readonly options?: Readonly<Record<string, unknown>>;
}
