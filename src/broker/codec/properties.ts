import { type Reader, Writer } from "./bytes.ts";
import { malformed, ProtocolFault, protocolError, reason } from "./reasons.ts";
import { isTopicName } from "./topic-rules.ts";

/** Where properties may stand: the packets, and the will inside CONNECT. */
export type PropertyHolder =
  | "connect"
  | "will"
  | "connack"
  | "publish"
  | "puback"
  | "pubrec"
  | "pubrel"
  | "pubcomp"
  | "subscribe"
  | "suback"
  | "unsubscribe"
  | "unsuback"
  | "disconnect"
  | "auth";

interface Types {
  readonly flag: boolean;
  readonly byte: number;
  readonly u16: number;
  readonly u32: number;
  readonly string: string;
  readonly binary: Buffer;
}

interface PropertyFacts {
  readonly id: number;
  readonly type: keyof Types;
  readonly in: readonly PropertyHolder[];
  /** Zero is a protocol error. */
  readonly nonZero?: true;
}

const message = ["publish", "will"] as const;

/** MQTT 5.0, table 2-4. User properties, the only pairs, stand apart. */
const table = {
  payloadFormatIndicator: { id: 0x01, type: "flag", in: message },
  messageExpiryInterval: { id: 0x02, type: "u32", in: message },
  contentType: { id: 0x03, type: "string", in: message },
  responseTopic: { id: 0x08, type: "string", in: message },
  correlationData: { id: 0x09, type: "binary", in: message },
  sessionExpiryInterval: { id: 0x11, type: "u32", in: ["connect", "connack", "disconnect"] },
  assignedClientIdentifier: { id: 0x12, type: "string", in: ["connack"] },
  serverKeepAlive: { id: 0x13, type: "u16", in: ["connack"] },
  authenticationMethod: { id: 0x15, type: "string", in: ["connect", "connack", "auth"] },
  authenticationData: { id: 0x16, type: "binary", in: ["connect", "connack", "auth"] },
  requestProblemInformation: { id: 0x17, type: "flag", in: ["connect"] },
  willDelayInterval: { id: 0x18, type: "u32", in: ["will"] },
  requestResponseInformation: { id: 0x19, type: "flag", in: ["connect"] },
  responseInformation: { id: 0x1a, type: "string", in: ["connack"] },
  serverReference: { id: 0x1c, type: "string", in: ["connack", "disconnect"] },
  reasonString: {
    id: 0x1f,
    type: "string",
    in: ["connack", "puback", "pubrec", "pubrel", "pubcomp", "suback", "unsuback", "disconnect", "auth"],
  },
  receiveMaximum: { id: 0x21, type: "u16", in: ["connect", "connack"], nonZero: true },
  topicAliasMaximum: { id: 0x22, type: "u16", in: ["connect", "connack"] },
  topicAlias: { id: 0x23, type: "u16", in: ["publish"] },
  maximumQos: { id: 0x24, type: "byte", in: ["connack"] },
  retainAvailable: { id: 0x25, type: "flag", in: ["connack"] },
  maximumPacketSize: { id: 0x27, type: "u32", in: ["connect", "connack"], nonZero: true },
  wildcardSubscriptionAvailable: { id: 0x28, type: "flag", in: ["connack"] },
  subscriptionIdentifiersAvailable: { id: 0x29, type: "flag", in: ["connack"] },
  sharedSubscriptionAvailable: { id: 0x2a, type: "flag", in: ["connack"] },
} as const satisfies Record<string, PropertyFacts>;

const subscriptionIdentifier = 0x0b;
const userProperty = 0x26;

type Name = keyof typeof table;

export type UserProperty = readonly [name: string, value: string];

/** Properties of one packet, in the types of the specification; absent is absent. */
export type Properties = { -readonly [K in Name]?: Types[(typeof table)[K]["type"]] } & {
  /** One in SUBSCRIBE, as many as subscriptions matched in PUBLISH. */
  subscriptionIdentifiers?: number[];
  userProperties?: UserProperty[];
};

const byId: readonly (readonly [Name, PropertyFacts])[] = (() => {
  const ids: (readonly [Name, PropertyFacts])[] = [];
  for (const [name, facts] of Object.entries(table)) ids[facts.id] = [name as Name, facts];
  return ids;
})();

/** Reads property length and properties; what is unknown, out of place or twice there is refused. */
export function readProperties(reader: Reader, holder: PropertyHolder): Properties {
  const section = reader.section(reader.variableByteInteger());
  const properties: Properties = {};
  while (section.remaining > 0) readProperty(section, holder, properties);
  return properties;
}

/** One property into `into`; returns its identifier. */
export function readProperty(section: Reader, holder: PropertyHolder, into: Properties): number {
  const id = section.variableByteInteger();
  if (id === userProperty) readUserProperty(section, into);
  else if (id === subscriptionIdentifier) readSubscriptionIdentifier(section, holder, into);
  else readKnown(section, holder, into, id);
  return id;
}

function readKnown(section: Reader, holder: PropertyHolder, into: Properties, id: number): void {
  const known = byId[id];
  if (known === undefined) throw malformed(`unknown property 0x${id.toString(16)}`);
  const [name, facts] = known;
  const value = readValue(section, facts, name);
  if (!facts.in.includes(holder)) throw misplaced(name, holder);
  if (into[name] !== undefined) throw protocolError(`${name} is there twice`);
  checkValue(name, facts, value);
  Object.assign(into, { [name]: value });
}

/** 2.2.2.2 calls it malformed; the code is Mosquitto's, which only SUBSCRIBE and UNSUBSCRIBE give that name. */
function misplaced(name: string, holder: PropertyHolder): ProtocolFault {
  const why = `${name} does not belong in ${holder}`;
  return holder === "subscribe" || holder === "unsubscribe" ? malformed(why) : protocolError(why);
}

function readUserProperty(section: Reader, into: Properties): void {
  const name = section.string();
  const value = section.string();
  into.userProperties ??= [];
  into.userProperties.push([name, value]);
}

function readSubscriptionIdentifier(section: Reader, holder: PropertyHolder, into: Properties): void {
  const value = section.variableByteInteger();
  if (holder !== "subscribe" && holder !== "publish") throw misplaced("subscriptionIdentifier", holder);
  if (holder === "subscribe" && into.subscriptionIdentifiers !== undefined)
    throw protocolError("subscriptionIdentifier is there twice");
  if (value === 0) {
    const why = "a subscription identifier must not be 0";
    throw holder === "subscribe" ? malformed(why) : protocolError(why);
  }
  into.subscriptionIdentifiers ??= [];
  into.subscriptionIdentifiers.push(value);
}

function readValue(section: Reader, facts: PropertyFacts, name: string): Types[keyof Types] {
  switch (facts.type) {
    case "flag":
      return readFlag(section, name);
    case "byte":
      return section.u8();
    case "u16":
      return section.u16();
    case "u32":
      return section.u32();
    case "string":
      return section.string();
    case "binary":
      return section.binary();
  }
}

function readFlag(section: Reader, name: string): boolean {
  const value = section.u8();
  if (value > 1) throw protocolError(`${name} must be 0 or 1, not ${value}`);
  return value === 1;
}

function checkValue(name: Name, facts: PropertyFacts, value: Types[keyof Types]): void {
  if (facts.nonZero && value === 0) throw protocolError(`${name} must not be 0`);
  if (name === "topicAlias" && value === 0) throw new ProtocolFault(reason.topicAliasInvalid, "topic alias 0");
  if (name === "maximumQos" && (value as number) > 1) throw protocolError(`maximumQos must be 0 or 1, not ${value}`);
  if (name === "responseTopic" && !isTopicName(value as string))
    throw protocolError("the response topic is not a topic name"); // [MQTT-3.3.2-14]
}

/** Property length and properties, in the order in which they stand in the object. */
export function writeProperties(writer: Writer, properties: Properties): void {
  const section = new Writer();
  writePropertiesWithoutLength(section, properties);
  writer.variableByteInteger(section.length);
  writer.raw(section.done());
}

export function writePropertiesWithoutLength(writer: Writer, properties: Properties): void {
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined) continue;
    if (name === "userProperties") writeUserProperties(writer, value as UserProperty[]);
    else if (name === "subscriptionIdentifiers") writeSubscriptionIdentifiers(writer, value as number[]);
    else writeKnown(writer, table[name as Name], value as Types[keyof Types]);
  }
}

function writeUserProperties(writer: Writer, pairs: readonly UserProperty[]): void {
  for (const [name, value] of pairs) {
    writer.u8(userProperty);
    writer.string(name);
    writer.string(value);
  }
}

function writeSubscriptionIdentifiers(writer: Writer, ids: readonly number[]): void {
  for (const id of ids) {
    writer.u8(subscriptionIdentifier);
    writer.variableByteInteger(id);
  }
}

function writeKnown(writer: Writer, facts: PropertyFacts, value: Types[keyof Types]): void {
  writer.u8(facts.id);
  switch (facts.type) {
    case "flag":
      writer.u8(value ? 1 : 0);
      break;
    case "byte":
      writer.u8(value as number);
      break;
    case "u16":
      writer.u16(value as number);
      break;
    case "u32":
      writer.u32(value as number);
      break;
    case "string":
      writer.string(value as string);
      break;
    case "binary":
      writer.binary(value as Buffer);
      break;
  }
}
