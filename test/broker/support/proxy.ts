/** A PROXY header of version 2 whose bytes behind the fixed ones are given in hex. */
export function proxyHeader(versionAndCommand: number, family: number, hex: string): Buffer {
  const rest = Buffer.from(hex.replaceAll(" ", ""), "hex");
  const fixed = Buffer.from("0d0a0d0a000d0a515549540a00000000", "hex");
  fixed[12] = versionAndCommand;
  fixed[13] = family;
  fixed.writeUInt16BE(rest.length, 14);
  return Buffer.concat([fixed, rest]);
}

export function tlv(type: number, hex: string): string {
  const head = Buffer.from([type, (hex.length / 2) >> 8, (hex.length / 2) & 0xff]);
  return head.toString("hex") + hex;
}

/** That of a client with this IPv4 address. */
export function proxied(address: string): Buffer {
  const octets = Buffer.from(address.split(".").map(Number)).toString("hex");
  return proxyHeader(0x21, 0x11, `${octets} 7f000001 d431 075b ${tlv(4, "0000")}`);
}
