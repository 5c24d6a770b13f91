/** `1`, `i2c-1` and `/dev/i2c-1` are the same bus: `i2c-1`. Other names (`sim`) stay as they are. */
export function busName(name: string): string {
  const mux = muxOf(name);
  if (mux) return `${busName(mux.parent)}/mux@0x${mux.address.toString(16)}/${mux.channel}`;
  const [, number] = /^(?:(?:\/dev\/)?i2c-)?(\d{1,3})$/.exec(name) ?? [];
  return number === undefined ? name : `i2c-${Number(number)}`;
}

export interface MuxName {
  /** The bus that the multiplexer is on; it may be behind another. */
  readonly parent: string;
  readonly address: number;
  readonly channel: number;
}

/** `i2c-1/mux@0x70/3`: channel 3 of the multiplexer at 0x70 on i2c-1; undefined for what is no such name. */
export function muxOf(name: string): MuxName | undefined {
  const [, parent, address, channel] = /^(.+)\/mux@(0x7[0-7])\/([0-7])$/.exec(name) ?? [];
  if (parent === undefined) return undefined;
  return { parent, address: Number(address), channel: Number(channel) };
}
