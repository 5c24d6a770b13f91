import type { Client } from "../client.ts";
import { plainWire } from "../wires.ts";

const pingresp = plainWire(Buffer.from([0xd0, 0x00]));

/** [MQTT-3.12.4-1] */
export function handlePingreq(client: Client): void {
  client.outgoing.push(pingresp, 0);
}
