/** The simulated bus. */
export const SIMULATED = "sim";
/** Where a device that has no bus is: this machine's pins and files. */
export const LOCAL = "local";

/**
 * `i2c-1` of `1`, `i2c-1` and `/dev/i2c-1`; `i2c-1/mux@0x70/3` for what is behind a multiplexer; `sim`; `undefined` for
 * what is no bus.
 */
export function i2cBusName(written: unknown): string | undefined {
  if (written === SIMULATED) return SIMULATED;
  const [, parent, mux] = /^(.+)\/(mux@0x7[0-7]\/[0-7])$/.exec(String(written)) ?? [];
  if (parent !== undefined && parent !== SIMULATED) {
    const bus = i2cBusName(parent);
    return bus && `${bus}/${mux}`;
  }
  const number = /^(?:(?:\/dev\/)?i2c-)?(\d{1,3})$/.exec(String(written))?.[1];
  return number === undefined ? undefined : `i2c-${Number(number)}`;
}
