/** `1`, `i2c-1` and `/dev/i2c-1` are the same bus: `i2c-1`. Other names (`sim`) stay as they are. */
export function busName(name: string): string {
  const [, number] = /^(?:(?:\/dev\/)?i2c-)?(\d{1,3})$/.exec(name) ?? [];
  return number === undefined ? name : `i2c-${Number(number)}`;
}
