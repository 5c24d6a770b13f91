import { SocketAddress } from "node:net";

/** The PROXY protocol, version 2 (haproxy.org, proxy-protocol.txt, section 2.2): what a proxy says before its client's bytes. */

const signature = Buffer.from("0d0a0d0a000d0a515549540a", "hex");
const fixedBytes = 16;
/** Addresses and TLVs; a proxy that passes on what TLS told it needs a few hundred. */
const maxBytes = 4096;

export class ProxyHeaderFault extends Error {
  override readonly name = "ProxyHeaderFault";
}

export interface ProxyHeader {
  /** Of the client. Undefined where the connection is the proxy's own (LOCAL), or comes from no IP address. */
  readonly address: string | undefined;
  /** How much of the bytes it takes. */
  readonly end: number;
}

/** Undefined: more bytes are needed. Throws ProxyHeaderFault as soon as they cannot become a header. */
export function parseProxyHeader(bytes: Buffer): ProxyHeader | undefined {
  const begun = Math.min(bytes.length, signature.length);
  if (!bytes.subarray(0, begun).equals(signature.subarray(0, begun))) throw new ProxyHeaderFault("it is not there");
  if (bytes.length < fixedBytes) return undefined;
  const command = commandOf(bytes[12] as number);
  const familyByte = bytes[13] as number;
  const length = bytes.readUInt16BE(14);
  if (length > maxBytes) throw new ProxyHeaderFault(`it has ${length} bytes, ${maxBytes} are allowed`);
  const end = fixedBytes + length;
  // The proxy's own connection, or one that it cannot tell more of: to be taken, whatever else is said.
  if (command === "local" || familyByte === family.unspecified)
    return bytes.length < end ? undefined : { address: undefined, end };
  const addressBytes = addressBytesOf(familyByte);
  if (length < addressBytes) throw new ProxyHeaderFault("it ends in the middle of its addresses");
  if (bytes.length < end) return undefined;
  checkTlvs(bytes.subarray(fixedBytes + addressBytes, end));
  return { address: addressOf(bytes.subarray(fixedBytes, end), familyByte), end };
}

function commandOf(byte: number): "local" | "proxy" {
  if (byte >> 4 !== 2) throw new ProxyHeaderFault(`its version is ${byte >> 4}, not 2`);
  if (byte === 0x20) return "local";
  if (byte === 0x21) return "proxy";
  throw new ProxyHeaderFault(`its command 0x${(byte & 0x0f).toString(16)} is unknown`);
}

/** Family and transport, as one byte. */
const family = { unspecified: 0x00, tcp4: 0x11, tcp6: 0x21, unixStream: 0x31 } as const;

/** Both addresses and both ports. Only streams can carry MQTT. */
function addressBytesOf(byte: number): number {
  switch (byte) {
    case family.tcp4:
      return 12;
    case family.tcp6:
      return 36;
    case family.unixStream:
      return 216;
    default:
      throw new ProxyHeaderFault(`its family and transport 0x${byte.toString(16)} are no stream's`);
  }
}

function addressOf(addresses: Buffer, byte: number): string | undefined {
  if (byte === family.tcp4) return addresses.subarray(0, 4).join(".");
  if (byte !== family.tcp6) return undefined;
  const address = (addresses.subarray(0, 16).toString("hex").match(/.{4}/g) ?? []).join(":");
  return new SocketAddress({ address, family: "ipv6" }).address;
}

/** They are of no use here, but must be whole. */
function checkTlvs(bytes: Buffer): void {
  let at = 0;
  while (at < bytes.length) {
    if (at + 3 > bytes.length) throw new ProxyHeaderFault("it ends in the middle of a TLV");
    at += 3 + bytes.readUInt16BE(at + 1);
  }
  if (at !== bytes.length) throw new ProxyHeaderFault("a TLV is longer than the header");
}
