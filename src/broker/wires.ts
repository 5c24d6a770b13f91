import { type AckType, packetType } from "./codec/packets.ts";
import type { Wire } from "./codec/publish.ts";

/** A packet that goes out as it is. */
export function plainWire(bytes: Buffer): Wire {
  return {
    bytes,
    packetIdAt: -1,
    expiryAt: -1,
    expiresAtMs: Number.POSITIVE_INFINITY,
    propertiesStart: 0,
    payloadStart: 0,
  };
}

/** The four acknowledgements, written once for each reason; success has the short form of both versions. */
export function ackWire(type: AckType, reason: number): Wire {
  const known = acks[type][reason];
  if (known !== undefined) return known;
  const first = (packetType[type] << 4) | (type === "pubrel" ? 2 : 0);
  const bytes = Buffer.from(reason === 0 ? [first, 2, 0, 0] : [first, 3, 0, 0, reason]);
  const wire = { ...plainWire(bytes), packetIdAt: 2 };
  acks[type][reason] = wire;
  return wire;
}

const acks: Record<AckType, Wire[]> = { puback: [], pubrec: [], pubrel: [], pubcomp: [] };
