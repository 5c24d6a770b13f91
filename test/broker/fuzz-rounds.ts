import fc from "fast-check";
import { decodePacket, encodePacket } from "../../src/broker/codec/codec.ts";
import type { Version } from "../../src/broker/codec/packets.ts";
import { ProtocolFault } from "../../src/broker/codec/reasons.ts";
import { Parser } from "../../src/broker/parser.ts";
import { numbersFrom } from "../support/numbers.ts";
import { anyPacket } from "./codec/arbitraries.ts";
import { connectPacket } from "./support/peer.ts";

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

export function sequence(version: Version): fc.Arbitrary<Buffer> {
  return fc
    .array(anyPacket(version), { minLength: 1, maxLength: 3 })
    .map((packets) => Buffer.concat(packets.map((packet) => encodePacket(packet, version))));
}

/** A few bytes changed; `next` gives numbers below 2^32. */
export function damage(bytes: Buffer, next: () => number): Buffer {
  let damaged = bytes;
  for (let left = next() % 4; left > 0 && damaged.length > 0; left--) {
    const mutate = mutations[next() % mutations.length] as Mutation;
    damaged = mutate(damaged, next() % damaged.length, next() & 0xff);
  }
  return damaged;
}

export const seed = fc.integer({ min: 1, max: 0x7fffffff });

export const connect = encodePacket(connectPacket({ version: 5 }), 5);

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

const sizes = fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 5 });

/** Reads `count` damaged sequences, each whole and in pieces; throws where that makes a difference. Returns how many. */
export function readDamaged(version: Version, count: number): number {
  let done = 0;
  fc.assert(
    fc.property(sequence(version), seed, sizes, (bytes, seed, sizes) => {
      const next = numbersFrom(seed);
      for (let i = 0; i < damagesEach; i++) {
        const stream = Buffer.concat([connect, damage(bytes, next)]);
        const whole = read([stream], version).join();
        // Not `expect`, which takes longer than what is tested.
        if (read(cut(stream, sizes), version).join() !== whole) throw new Error(stream.toString("hex"));
        done++;
      }
    }),
    { numRuns: Math.ceil(count / damagesEach) },
  );
  return done;
}
