import fc from "fast-check";
import type {
  AckType,
  Packet,
  PublishPacket,
  Qos,
  SubscriptionRequest,
  Version,
} from "../../../src/broker/codec/packets.ts";
import type { Properties, UserProperty } from "../../../src/broker/codec/properties.ts";

/** With the prototype that object literals have, so that what is read back can be compared strictly. */
const record = ((model: Record<string, fc.Arbitrary<unknown>>, constraints: object = {}) =>
  fc.record(model, { ...constraints, noNullPrototype: true })) as typeof fc.record;

const refused = /\p{Control}|\p{Noncharacter_Code_Point}/u;
const text = fc.string({ unit: "grapheme", maxLength: 20 }).filter((s) => !refused.test(s));
const level = text.filter((s) => !/[+#/]/.test(s));
export const topicName = fc.array(level, { minLength: 1, maxLength: 5 }).map((levels) => levels.join("/") || "t");
const filter = fc
  .tuple(fc.array(fc.oneof(level, fc.constant("+")), { maxLength: 4 }), fc.oneof(level, fc.constantFrom("+", "#")))
  .map(([levels, last]) => [...levels, last].join("/") || "f");
const bytes = fc.uint8Array({ maxLength: 40 }).map((array) => Buffer.from(array));
const u16 = fc.nat(0xffff);
const positive16 = fc.integer({ min: 1, max: 0xffff });
const u32 = fc.nat(0xffffffff);
const flag = fc.boolean();
const qos = fc.constantFrom<Qos>(0, 1, 2);
const userProperties = fc.array(fc.tuple(text, text) as fc.Arbitrary<UserProperty>, { minLength: 1, maxLength: 3 });

function some(model: Record<string, fc.Arbitrary<unknown>>): fc.Arbitrary<Properties> {
  return record({ ...model, userProperties }, { requiredKeys: [] }) as fc.Arbitrary<Properties>;
}

const messageProperties = {
  payloadFormatIndicator: flag,
  messageExpiryInterval: u32,
  contentType: text,
  responseTopic: topicName,
  correlationData: bytes,
};
const reasonString = { reasonString: text };

function propertiesFor(version: Version, properties: fc.Arbitrary<Properties>): fc.Arbitrary<Properties> {
  return version === 5 ? properties : fc.constant({});
}

function connect(version: Version): fc.Arbitrary<Packet> {
  const will = record({
    topic: topicName,
    payload: bytes,
    qos,
    retain: flag,
    properties: propertiesFor(version, some({ ...messageProperties, willDelayInterval: u32 })),
  });
  const login = fc.oneof(fc.constant({}), record({ username: text }), record({ username: text, password: bytes }));
  const properties = some({
    sessionExpiryInterval: u32,
    receiveMaximum: positive16,
    maximumPacketSize: fc.integer({ min: 1, max: 0xffffffff }),
    topicAliasMaximum: u16,
    requestResponseInformation: flag,
    requestProblemInformation: flag,
    authenticationMethod: text,
  });
  return fc
    .tuple(
      record({ cleanStart: flag, keepAliveS: u16, clientId: text, properties: propertiesFor(version, properties) }),
      fc.oneof(fc.constant({}), record({ will })),
      login,
    )
    .map(([rest, withWill, withLogin]) => ({ type: "connect", version, ...rest, ...withWill, ...withLogin }));
}

function connack(version: Version): fc.Arbitrary<Packet> {
  const properties = some({
    ...reasonString,
    sessionExpiryInterval: u32,
    receiveMaximum: positive16,
    maximumQos: fc.nat(1),
    retainAvailable: flag,
    maximumPacketSize: positive16,
    assignedClientIdentifier: text,
    topicAliasMaximum: u16,
    wildcardSubscriptionAvailable: flag,
    subscriptionIdentifiersAvailable: flag,
    sharedSubscriptionAvailable: flag,
    serverKeepAlive: u16,
    responseInformation: text,
    serverReference: text,
    authenticationMethod: text,
    authenticationData: bytes,
  });
  return record({
    type: fc.constant("connack" as const),
    sessionPresent: flag,
    reason: fc.nat(255),
    properties: propertiesFor(version, properties),
  });
}

export function anyPublish(version: Version): fc.Arbitrary<PublishPacket> {
  const ids = fc.array(fc.integer({ min: 1, max: 268_435_455 }), { minLength: 1, maxLength: 3 });
  const properties = some({ ...messageProperties, topicAlias: positive16, subscriptionIdentifiers: ids });
  return record({
    topic: topicName,
    payload: fc.oneof(
      bytes,
      fc.constantFrom(127, 128, 16_383, 16_384, 70_000).map((length) => Buffer.alloc(length)),
    ),
    qos,
    retain: flag,
    dup: flag,
    packetId: positive16,
    properties: propertiesFor(version, properties),
  }).map((packet) => ({
    type: "publish" as const,
    ...packet,
    dup: packet.dup && packet.qos > 0,
    packetId: packet.qos > 0 ? packet.packetId : 0,
  }));
}

function ack(version: Version): fc.Arbitrary<Packet> {
  const type = fc.constantFrom<AckType>("puback", "pubrec", "pubrel", "pubcomp");
  return fc
    .tuple(type, positive16, fc.boolean(), propertiesFor(version, some(reasonString)))
    .map(([type, packetId, fails, properties]) => {
      const failure = type === "puback" || type === "pubrec" ? 0x97 : 0x92;
      return { type, packetId, reason: version === 5 && fails ? failure : 0, properties };
    });
}

function subscriptions(version: Version): fc.Arbitrary<Packet> {
  const v5 = version === 5 ? flag : fc.constant(false);
  const request: fc.Arbitrary<SubscriptionRequest> = record({
    filter: filter.filter((f) => !f.startsWith("$share/")),
    qos,
    noLocal: v5,
    retainAsPublished: v5,
    retainHandling: version === 5 ? fc.constantFrom(0, 1, 2) : fc.constant(0),
  });
  const ids = fc.tuple(fc.integer({ min: 1, max: 268_435_455 })).map(([id]) => [id]);
  return record({
    type: fc.constant("subscribe" as const),
    packetId: positive16,
    subscriptions: fc.array(request, { minLength: 1, maxLength: 4 }),
    properties: propertiesFor(version, some({ subscriptionIdentifiers: ids })),
  });
}

function otherPackets(version: Version): fc.Arbitrary<Packet> {
  const reasons = fc.array(fc.nat(255), { minLength: 1, maxLength: 5 });
  const answer = propertiesFor(version, some(reasonString));
  return fc.oneof(
    record({ type: fc.constant("suback" as const), packetId: positive16, reasons, properties: answer }),
    record({
      type: fc.constant("unsubscribe" as const),
      packetId: positive16,
      filters: fc.array(filter, { minLength: 1, maxLength: 4 }),
      properties: propertiesFor(version, some({})),
    }),
    record({
      type: fc.constant("unsuback" as const),
      packetId: positive16,
      reasons: version === 5 ? reasons : fc.constant([]),
      properties: answer,
    }),
    record({ type: fc.constantFrom("pingreq" as const, "pingresp" as const) }),
    record({
      type: fc.constant("disconnect" as const),
      reason: version === 5 ? fc.constantFrom(0, 4, 0x81, 0x8b, 0x8e) : fc.constant(0),
      properties: propertiesFor(version, some({ ...reasonString, sessionExpiryInterval: u32, serverReference: text })),
    }),
  );
}

const auth: fc.Arbitrary<Packet> = record({
  type: fc.constant("auth" as const),
  reason: fc.constantFrom(0, 0x18, 0x19),
  properties: some({ ...reasonString, authenticationMethod: text, authenticationData: bytes }),
});

export function anyPacket(version: Version): fc.Arbitrary<Packet> {
  const packets = [connect, connack, anyPublish, ack, subscriptions, otherPackets].map((of) => of(version));
  return fc.oneof(...packets, ...(version === 5 ? [auth] : []));
}
