import { connect, type Socket } from "node:net";
import { expect } from "vitest";
import type { BrokerOptions } from "../../../src/broker/options.ts";
import { openTestBroker, type TestBroker } from "../support/broker.ts";

/**
 * Plays a dialogue on the wire, a step a line, and compares every byte. Clients are single letters:
 *
 *     a 82 { 0001 'x' 00 } -> 90 { 0001 00 }     sends, and expects exactly that
 *     a c100 -> closed                            expects, after what stands before it, the end of the connection
 *     b -> 30 { 'x' 79 }                          expects without sending
 *     cut a    wait 10                            breaks the connection; lets seconds pass
 *
 * Hex, but `'x'` is a string with its length and `{ }` the remaining length of what is inside. `JOIN` is a CONNECT with
 * clean start and the client's letter as its id, `KEEP` one whose session stays, `OK` and `BACK` are their CONNACKs
 * without and with a session. Every step that does not end the connection ends with a ping, so nothing is overlooked.
 */
export async function dialogue(version: 4 | 5, steps: string, options: Partial<BrokerOptions> = {}): Promise<void> {
  await using broker = await openTestBroker(options);
  const wires = new Map<string, Wire>();
  try {
    for (const step of steps.split("\n").map((line) => line.trim()))
      if (step !== "") await play(step, version, broker, wires);
  } finally {
    for (const wire of wires.values()) wire.socket.destroy();
  }
}

async function play(step: string, version: 4 | 5, broker: TestBroker, wires: Map<string, Wire>): Promise<void> {
  const [, verb, argument] = /^(cut|wait) (\w+)$/.exec(step) ?? [];
  if (verb === "wait") broker.timers.advance(Number(argument) * 1000);
  else if (verb === "cut") {
    const { clients } = broker.broker.stats();
    wires.get(argument as string)?.socket.destroy();
    wires.delete(argument as string);
    await expect.poll(() => broker.broker.stats().clients, { timeout: 10_000 }).toBe(clients - 1);
  } else {
    const [, name = "", sent = "", expected = ""] = /^(\w) (.*?)-> ?(.*)$/.exec(step) ?? [];
    const ends = expected.endsWith("closed");
    const answer = bytesOf(expected.replace("closed", ""), version, name).toString("hex");
    const wire = wires.get(name) ?? new Wire(broker.port);
    if (ends) wires.delete(name);
    else wires.set(name, wire);
    wire.socket.write(Buffer.concat([bytesOf(sent, version, name), ...(ends ? [] : [Buffer.from([0xc0, 0])])]));
    const got = ends ? await wire.untilClosed() : await wire.untilPong();
    expect(`${step}: ${got}`).toBe(`${step}: ${answer}${ends ? "" : "d000"}`);
  }
}

class Wire {
  readonly socket: Socket;
  #hex = "";
  #closed = false;
  #changed = () => {};

  constructor(port: number) {
    this.socket = connect({ host: "127.0.0.1", port });
    this.socket.on("data", (chunk: Buffer) => {
      this.#hex += chunk.toString("hex");
      this.#changed();
    });
    this.socket.on("error", () => {});
    this.socket.on("close", () => {
      this.#closed = true;
      this.#changed();
    });
  }

  untilPong(): Promise<string> {
    return this.#until(() => this.#closed || this.#hex.endsWith("d000"));
  }

  untilClosed(): Promise<string> {
    return this.#until(() => this.#closed);
  }

  async #until(done: () => boolean): Promise<string> {
    while (!done())
      await new Promise<void>((resolve) => {
        this.#changed = resolve;
      });
    const hex = this.#hex;
    this.#hex = "";
    return hex;
  }
}

function bytesOf(text: string, version: 4 | 5, name: string): Buffer {
  const words = macros(text, version, name).match(/'[^']*'|[{}]|[0-9a-f]+/g) ?? [];
  const open: Buffer[][] = [[]];
  for (const word of words) {
    if (word === "{") open.push([]);
    else if (word === "}") {
      const body = Buffer.concat(open.pop() as Buffer[]);
      open.at(-1)?.push(lengthOf(body.length), body);
    } else open.at(-1)?.push(word.startsWith("'") ? stringOf(word.slice(1, -1)) : Buffer.from(word, "hex"));
  }
  return Buffer.concat(open[0] as Buffer[]);
}

function macros(text: string, version: 4 | 5, name: string): string {
  const limits = version === 5 ? " 0b 22000a 27001e8480 210014" : "";
  return text
    .replaceAll("JOIN", `10 { 'MQTT' 0${version} 02 0000 ${version === 5 ? "00" : ""} '${name}' }`)
    .replaceAll("KEEP", `10 { 'MQTT' 0${version} 00 0000 ${version === 5 ? "05 1100000064" : ""} '${name}' }`)
    .replaceAll("OK", `20 { 00 00 ${serverKeepAlive(limits)} }`)
    .replaceAll("BACK", `20 { 01 00 ${serverKeepAlive(limits)} }`);
}

/** These clients ask for no keep alive, and in 5.0 are given the longest. */
function serverKeepAlive(limits: string): string {
  return limits.replace("0b 22000a", "0e 13ffff 22000a");
}

function lengthOf(length: number): Buffer {
  return length < 128 ? Buffer.from([length]) : Buffer.from([(length & 0x7f) | 0x80, length >> 7]);
}

function stringOf(text: string): Buffer {
  const bytes = Buffer.from(text);
  return Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 0xff]), bytes]);
}
