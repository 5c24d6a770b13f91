import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodePacket, encodePacket } from "../../src/broker/codec/codec.ts";
import type { Version } from "../../src/broker/codec/packets.ts";
import { ProtocolFault } from "../../src/broker/codec/reasons.ts";
import { Parser } from "../../src/broker/parser.ts";
import { anyPacket } from "./codec/arbitraries.ts";
import { openTestBroker } from "./support/broker.ts";
import { connectPacket } from "./support/peer.ts";

/** A campaign: `BROKER_FUZZ_RUNS=1000000 npx vitest run test/broker/fuzz.test.ts`. */
const runs = Number(process.env.BROKER_FUZZ_RUNS ?? 20_000);
const timeout = Math.max(120_000, runs);

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

/** Each sequence that the grammar gives is damaged so many times. */
const damagesEach = 25;

function sequence(version: Version): fc.Arbitrary<Buffer> {
  return fc
    .array(anyPacket(version), { minLength: 1, maxLength: 3 })
    .map((packets) => Buffer.concat(packets.map((packet) => encodePacket(packet, version))));
}

/** A few bytes changed; `next` gives numbers below 2^32 (xorshift, from a seed that is not 0). */
function damage(bytes: Buffer, next: () => number): Buffer {
  let damaged = bytes;
  for (let left = next() % 4; left > 0 && damaged.length > 0; left--) {
    const mutate = mutations[next() % mutations.length] as Mutation;
    damaged = mutate(damaged, next() % damaged.length, next() & 0xff);
  }
  return damaged;
}

function numbersFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}

const seed = fc.integer({ min: 1, max: 0x7fffffff });

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
    { timeout },
    (version) => {
      const sizes = fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 5 });
      fc.assert(
        fc.property(sequence(version), seed, sizes, (bytes, seed, sizes) => {
          const next = numbersFrom(seed);
          for (let i = 0; i < damagesEach; i++) {
            const stream = Buffer.concat([connect, damage(bytes, next)]);
            const whole = read([stream], version).join();
            // Not `expect`, which takes longer than what is tested.
            if (read(cut(stream, sizes), version).join() !== whole) throw new Error(stream.toString("hex"));
          }
        }),
        { numRuns: Math.ceil(runs / 2 / damagesEach) },
      );
    },
  );

  test("do no harm to a broker, which goes on serving others", { timeout }, async () => {
    await using broker = await openTestBroker({ limits: { connectionsPerAddress: 1000 } });
    const witness = await broker.join("witness", 5);
    const arbitrary = fc.tuple(fc.constantFrom<Version>(4, 5), sequence(5), seed);
    for (const [version, bytes, seed] of fc.sample(arbitrary, Math.min(5000, runs / 40))) {
      const peer = broker.dial(version);
      peer.send(connectPacket({ version, clientId: "fuzz" }), damage(bytes, numbersFrom(seed)));
      peer.socket.end();
      await peer.untilClosed();
    }
    // What was written may have been published or subscribed to; the witness asked for nothing.
    expect(await witness.untilPong()).toEqual([]);
    await expect.poll(() => broker.broker.stats()).toMatchObject({ clients: 1, sessions: 1, queuedBytes: 0 });
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
