import type { Client } from "../client.ts";
import { decodeAck } from "../codec/acks.ts";
import { Reader } from "../codec/bytes.ts";
import { decodeDisconnect } from "../codec/disconnect.ts";
import { packetType } from "../codec/packets.ts";
import { parseShortAck } from "../codec/publish.ts";
import { protocolError, unanswered } from "../codec/reasons.ts";
import { decodeSubscribe } from "../codec/subscribe.ts";
import { decodeUnsubscribe } from "../codec/unsubscribe.ts";
import { handleDisconnect } from "./disconnect.ts";
import { handlePingreq } from "./pingreq.ts";
import { handlePuback } from "./puback.ts";
import { handlePubcomp } from "./pubcomp.ts";
import { handlePublish } from "./publish.ts";
import { handlePubrec } from "./pubrec.ts";
import { handlePubrel } from "./pubrel.ts";
import { handleSubscribe } from "./subscribe.ts";
import { handleUnsubscribe } from "./unsubscribe.ts";

/** Every packet after CONNECT, to its handler. Throws ProtocolFault for what ends the connection. */
export function handlePacket(client: Client, first: number, bytes: Buffer, start: number, end: number): void {
  const type = first >> 4;
  if (type === packetType.publish) {
    handlePublish(client, first, bytes, start, end);
    return;
  }
  if (type === packetType.puback && end - start === 2) {
    const packetId = parseShortAck(bytes, start, end);
    if (packetId === 0) throw protocolError("packet identifier 0");
    handlePuback(client, packetId);
    return;
  }
  const handle = handlers[type];
  if (handle === undefined) throw fromServer(type);
  handle(client, new Reader(bytes, start, end));
}

const fromServer = (type: number) => protocolError(`packet type ${type} goes from server to client`);

function expectNoBody(reader: Reader): void {
  if (reader.remaining > 0) throw unanswered("a ping with a body");
}

const handlers: Readonly<Record<number, (client: Client, reader: Reader) => void>> = {
  [packetType.puback]: (client, reader) => handlePuback(client, decodeAck("puback", reader, client.version).packetId),
  [packetType.pubrec]: (client, reader) => handlePubrec(client, decodeAck("pubrec", reader, client.version)),
  [packetType.pubrel]: (client, reader) => handlePubrel(client, decodeAck("pubrel", reader, client.version)),
  [packetType.pubcomp]: (client, reader) => handlePubcomp(client, decodeAck("pubcomp", reader, client.version)),
  [packetType.subscribe]: (client, reader) => handleSubscribe(client, decodeSubscribe(reader, client.version)),
  [packetType.unsubscribe]: (client, reader) => handleUnsubscribe(client, decodeUnsubscribe(reader, client.version)),
  [packetType.disconnect]: (client, reader) => handleDisconnect(client, decodeDisconnect(reader, client.version)),
  [packetType.pingreq]: (client, reader) => {
    expectNoBody(reader);
    handlePingreq(client);
  },
  [packetType.pingresp]: (_client, reader) => {
    expectNoBody(reader);
    throw fromServer(packetType.pingresp);
  },
  [packetType.connect]: () => {
    throw protocolError("a second CONNECT"); // [MQTT-3.1.0-2]
  },
  [packetType.auth]: () => {
    throw protocolError("AUTH without an authentication method"); // [MQTT-4.12.0-7]
  },
};
