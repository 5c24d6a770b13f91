import { deepStrictEqual } from "node:assert/strict";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodePacket, encodePacket } from "../../../src/broker/codec/codec.ts";
import { checkFirstByte, findBody, remainingLength } from "../../../src/broker/codec/fixed-header.ts";
import type { Packet, Version } from "../../../src/broker/codec/packets.ts";
import { encodePublish, newPublishView, parsePublish } from "../../../src/broker/codec/publish.ts";
import { ProtocolFault } from "../../../src/broker/codec/reasons.ts";
import { anyPacket, anyPublish } from "./arbitraries.ts";

function decode(bytes: Buffer, version: Version): Packet {
  checkFirstByte(bytes[0] as number);
  const bodyStart = findBody(bytes, 0, bytes.length);
  expect(bodyStart + remainingLength(bytes, 0, bodyStart)).toBe(bytes.length);
  return decodePacket(bytes[0] as number, bytes, bodyStart, bytes.length, version);
}

function reasonOf(hex: string, version: Version = 5): number | "accepted" {
  const bytes = Buffer.from(hex.replaceAll(" ", ""), "hex");
  try {
    decode(bytes, version);
    return "accepted";
  } catch (error) {
    if (error instanceof ProtocolFault) return error.reason;
    throw error;
  }
}

describe("codec", () => {
  test.each([4, 5] as const)("reads back every packet of protocol level %i that it writes", (version) => {
    fc.assert(
      fc.property(anyPacket(version), (packet) => {
        deepStrictEqual(decode(encodePacket(packet, version), version), packet);
      }),
      { numRuns: 1000 },
    );
  });

  test("refuses every packet that ends too early", () => {
    fc.assert(
      fc.property(anyPacket(5), fc.nat(), (packet, seed) => {
        const bytes = encodePacket(packet, 5);
        const bodyStart = findBody(bytes, 0, bytes.length);
        const length = bytes.length - bodyStart;
        // A payload and what may be left out at the end are allowed to be shorter.
        const optional = [
          "publish",
          "suback",
          "unsuback",
          "disconnect",
          "auth",
          "puback",
          "pubrec",
          "pubrel",
          "pubcomp",
        ];
        fc.pre(length > 0 && !optional.includes(packet.type));
        const cut = packet.type === "subscribe" || packet.type === "unsubscribe" ? length - 1 : seed % length;
        expect(() => decodePacket(bytes[0] as number, bytes, bodyStart, bodyStart + cut, 5)).toThrow(ProtocolFault);
      }),
    );
  });

  test("forwards a PUBLISH unchanged but for its topic alias", () => {
    fc.assert(
      fc.property(anyPublish(5), (packet) => {
        const bytes = encodePacket(packet, 5);
        const view = newPublishView();
        parsePublish(bytes[0] as number, bytes, findBody(bytes, 0, bytes.length), bytes.length, 5, view);
        const topicBytes = Buffer.from(packet.topic);
        const wire = encodePublish({ ...view, topicBytes, expiresAtMs: 0 }, 5, packet.qos, packet.retain);
        if (packet.qos > 0) wire.bytes.writeUInt16BE(packet.packetId, wire.packetIdAt);
        const { topicAlias: _cut, ...properties } = packet.properties;
        deepStrictEqual(decode(wire.bytes, 5), { ...packet, dup: false, properties });
        if (properties.messageExpiryInterval !== undefined)
          expect(wire.bytes.readUInt32BE(wire.expiryAt)).toBe(properties.messageExpiryInterval);
      }),
      { numRuns: 500 },
    );
  });
});

describe("malformed packets", () => {
  test.each([
    ["[MQTT-2.1.3-1] a reserved flag of PINGREQ", "c1 00", 0x81],
    ["[MQTT-2.1.3-1] SUBSCRIBE without its fixed flags", "80 06 0001 00 0001 61", 0x81],
    ["packet type 0", "00 00", 0x82],
    ["a reserved flag of AUTH", "f1 00", 0x82],
    ["[MQTT-3.3.1-4] QoS 3", "36 06 0001 61 0001 00", 0x81],
    ["[MQTT-3.3.1-2] DUP at QoS 0", "38 04 0001 61 00", 0x81],
    ["[MQTT-2.2.1-3] PUBLISH with packet identifier 0", "32 06 0001 61 0000 00", 0x82],
    ["[MQTT-2.2.1-3] SUBSCRIBE with packet identifier 0", "82 07 0000 00 0001 61 00", 0x81],
    ["[MQTT-3.3.2-2] a wildcard in a topic name", "30 04 0001 23 00", 0x81],
    ["an empty topic without an alias", "30 03 0000 00", 0x81],
    ["[MQTT-1.5.4-1] an overlong form in a string", "30 05 0002 c0af 00", 0x81],
    ["[MQTT-1.5.4-1] a surrogate in a string", "30 06 0003 eda080 00", 0x81],
    ["a control character in a string", "30 05 0002 610a 00", 0x81],
    ["a control character of two bytes in a string", "30 05 0002 c280 00", 0x81],
    ["a noncharacter in a string", "30 06 0003 efbfbf 00", 0x81],
    ["[MQTT-1.5.4-2] U+0000 in a string", "30 05 0002 6100 00", 0x81],
    ["[MQTT-1.5.5-1] a property length longer than it needs to be", "30 05 0001 61 8000", 0x81],
    ["a property length beyond the packet", "30 04 0001 61 05", 0x81],
    ["an unknown property", "30 06 0001 61 02 7f00", 0x81],
    ["a property that belongs elsewhere", "30 07 0001 61 03 210001", 0x82],
    ["a property that belongs elsewhere and is cut short", "30 06 0001 61 02 2100", 0x81],
    ["a property that belongs elsewhere in SUBSCRIBE", "82 0a 0001 03 210001 0001 61 00", 0x81],
    ["a property twice", "30 08 0001 61 04 01000100", 0x82],
    ["a flag that is neither 0 nor 1", "30 06 0001 61 02 0102", 0x82],
    ["topic alias 0", "30 07 0001 61 03 230000", 0x94],
    ["[MQTT-3.3.2-14] a wildcard in the response topic", "30 08 0001 61 04 08000123", 0x82],
    ["[MQTT-3.8.3-2] SUBSCRIBE without a filter", "82 03 0001 00", 0x81],
    ["[MQTT-3.8.3-5] reserved subscription options", "82 07 0001 00 0001 61 40", 0x81],
    ["a subscription with QoS 3", "82 07 0001 00 0001 61 03", 0x81],
    ["retain handling 3", "82 07 0001 00 0001 61 30", 0x81],
    ["[MQTT-3.8.3-4] no local on a shared subscription", "82 10 0001 00 000a 2473686172652f672f61 04", 0x82],
    ["[MQTT-4.7.1-1] # before the last level", "82 09 0001 00 0003 232f61 00", 0x81],
    ["[MQTT-4.7.1-1] # beside other characters", "82 08 0001 00 0002 6123 00", 0x81],
    ["[MQTT-4.7.1-2] + beside other characters", "82 08 0001 00 0002 2b61 00", 0x81],
    ["[MQTT-4.7.3-1] an empty filter", "82 06 0001 00 0000 00", 0x81],
    ["subscription identifier 0", "82 09 0001 02 0b00 0001 61 00", 0x81],
    ["[MQTT-3.10.3-2] UNSUBSCRIBE without a filter", "a2 03 0001 00", 0x81],
    ["bytes behind a PINGREQ", "c0 01 00", 0x81],
    ["a reason that PUBACK does not know", "40 03 0001 01", 0x82],
    ["PUBREC with packet identifier 0", "50 03 0000 00", 0x82],
    ["a reason that DISCONNECT does not know", "e0 01 01", 0x81],
    ["AUTH with a reason that is none of its own", "f0 01 01", 0x81],
    ["[MQTT-3.1.2-3] the reserved flag of CONNECT", "10 0d 00044d515454 05 03 003c 00 0000", 0x81],
    ["[MQTT-3.1.2-11] will QoS without a will", "10 0d 00044d515454 05 0a 003c 00 0000", 0x81],
    ["[MQTT-3.1.2-12] will QoS 3", "10 0d 00044d515454 05 1e 003c 00 0000", 0x81],
    ["[MQTT-3.1.2-13] will retain without a will", "10 0d 00044d515454 05 22 003c 00 0000", 0x81],
    ["receive maximum 0", "10 10 00044d515454 05 02 003c 03 210000 0000", 0x82],
    ["maximum packet size 0", "10 12 00044d515454 05 02 003c 05 2700000000 0000", 0x82],
    ["authentication data without a method", "10 11 00044d515454 05 02 003c 04 16000100 0000", 0x82],
  ])("%s is refused", (_what, hex, reason) => {
    expect(reasonOf(hex)).toBe(reason);
  });

  test.each([
    ["a password without a user name", "10 0f 00044d515454 04 42 003c 0000 0001 61", 0x81],
    ["reserved bits of the requested QoS", "82 06 0001 0001 61 04", 0x81],
    ["bytes in a DISCONNECT", "e0 01 00", 0x81],
    ["AUTH", "f0 00", 0x82],
  ])("%s is refused in 3.1.1", (_what, hex, reason) => {
    expect(reasonOf(hex, 4)).toBe(reason);
  });

  test("[MQTT-1.5.4-3] a byte order mark stays in a string", () => {
    expect(decode(Buffer.from("30060003efbbbf00", "hex"), 5)).toMatchObject({ topic: "\uFEFF" });
  });
});
