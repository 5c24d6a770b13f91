import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodePacket, encodePacket } from "../../src/broker/codec/codec.ts";
import type { Version } from "../../src/broker/codec/packets.ts";
import { ProtocolFault } from "../../src/broker/codec/reasons.ts";
import { Parser } from "../../src/broker/parser.ts";
import { anyPacket } from "./codec/arbitraries.ts";
import { openTestBroker } from "./support/broker.ts";
import { connectPacket } from "./support/peer.ts";

const runs = Number(process.env.BROKER_FUZZ_RUNS ?? 20_000);

type Mutation = (bytes: Buffer, at: number, value: number) => Buffer;

const mutations: readonly Mutation[] = [
  (bytes, at, value) => {
    const changed = Buffer.from(bytes);
    changed[at % changed.length] = value;
    return changed;
  },
  (bytes, at, value) => {
    const changed = Buffer.from(bytes);
    changed[at % changed.length] = (changed[at % changed.length] as number) ^ (1 << (value % 8));
    return changed;
  },
  (bytes, at) => bytes.subarray(0, at % bytes.length),
  (bytes, at, value) =>
    Buffer.concat([bytes.subarray(0, at % bytes.length), Buffer.from([value]), bytes.subarray(at % bytes.length)]),
  (bytes, at) => Buffer.concat([bytes.subarray(0, at % bytes.length), bytes.subarray((at % bytes.length) + 1)]),
  (bytes, at) => Buffer.concat([bytes, bytes.subarray(at % bytes.length)]),
];

const mutation = fc.tuple(fc.constantFrom(...mutations), fc.nat(300), fc.nat(255));

/** Packets as the grammar has them, with a few bytes changed. */
function damaged(version: Version): fc.Arbitrary<Buffer> {
  return fc
    .tuple(fc.array(anyPacket(version), { minLength: 1, maxLength: 3 }), fc.array(mutation, { maxLength: 3 }))
    .map(([packets, changes]) => {
      let bytes: Buffer = Buffer.concat(packets.map((packet) => encodePacket(packet, version)));
      for (const [mutate, at, value] of changes) if (bytes.length > 0) bytes = mutate(bytes, at, value);
      return bytes;
    });
}

const connect = encodePacket(connectPacket({ version: 5 }), 5);

/** What the parser and the codec make of it, chunk by chunk: packets, and at most one fault. */
function read(chunks: readonly Buffer[], version: Version): string[] {
  const seen: string[] = [];
  const parser = new Parser(100_000, (first, bytes, start, end) => {
    seen.push(JSON.stringify(decodePacket(first, bytes, start, end, version)));
    return true;
  });
  try {
    for (const chunk of chunks) parser.feed(chunk);
  } catch (error) {
    if (!(error instanceof ProtocolFault)) throw error;
    seen.push(`fault ${error.reason}`);
  }
  return seen;
}

function cut(bytes: Buffer, sizes: readonly number[]): Buffer[] {
  const chunks: Buffer[] = [];
  let at = 0;
  for (let i = 0; at < bytes.length; i++) {
    const size = sizes[i % sizes.length] as number;
    chunks.push(bytes.subarray(at, at + size));
    at += size;
  }
  return chunks;
}

describe("damaged packets", () => {
  test.each([4, 5] as const)(
    "are read or refused, alike however they are cut (protocol level %i)",
    { timeout: 120_000 },
    (version) => {
      const sizes = fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 5 });
      fc.assert(
        fc.property(damaged(version), sizes, (bytes, sizes) => {
          const stream = Buffer.concat([connect, bytes]);
          expect(read(cut(stream, sizes), version).join()).toBe(read([stream], version).join());
        }),
        { numRuns: runs / 2 },
      );
    },
  );

  test("do no harm to a broker, which goes on serving others", { timeout: 60_000 }, async () => {
    await using broker = await openTestBroker({ limits: { connectionsPerAddress: 1000 } });
    const witness = await broker.join("witness", 5);
    const arbitrary = fc.tuple(fc.constantFrom<Version>(4, 5), damaged(5));
    for (const [version, bytes] of fc.sample(arbitrary, Math.min(500, runs / 40))) {
      const peer = broker.dial(version);
      peer.send(connectPacket({ version, clientId: "fuzz" }), bytes);
      peer.socket.end();
      await peer.untilClosed();
    }
    // What was written may have been published or subscribed to; the witness asked for nothing.
    expect(await witness.untilPong()).toEqual([]);
  });
});

describe("the parser", () => {
  test("refuses a packet that is too large from its header", () => {
    const parser = new Parser(1000, () => true);
    expect(() => parser.feed(Buffer.from([0x10, 0xe6, 0x07]))).toThrow("a packet of 1001 bytes");
  });

  test("[MQTT-3.1.0-1] refuses a first packet that is not CONNECT from its first byte", () => {
    const parser = new Parser(1000, () => true);
    expect(() => parser.feed(Buffer.from([0xc0]))).toThrow("the first packet is not CONNECT");
  });

  test("refuses a remaining length of more than four bytes", () => {
    const parser = new Parser(1000, () => true);
    expect(() => parser.feed(Buffer.from([0x10, 0xff, 0xff, 0xff, 0xff]))).toThrow("longer than four bytes");
  });

  test("keeps what follows a packet after which it was asked to stop", () => {
    const taken: number[] = [];
    const parser = new Parser(1000, (first) => {
      taken.push(first);
      return first !== 0x10;
    });
    parser.feed(Buffer.concat([connect, Buffer.from([0xc0, 0])]));
    parser.feed(Buffer.from([0xe0, 0]));
    expect(taken).toEqual([0x10]);
    parser.resume();
    expect(taken).toEqual([0x10, 0xc0, 0xe0]);
  });
});
