import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Version } from "../../src/broker/codec/packets.ts";
import { Parser } from "../../src/broker/parser.ts";
import { numbersFrom } from "../support/numbers.ts";
import { connect, damage, readDamaged, seed, sequence } from "./fuzz-rounds.ts";
import { openTestBroker } from "./support/broker.ts";
import { connectPacket } from "./support/peer.ts";

/** `scripts/faults broker-fuzz` reads a million. */
const runs = 20_000;
const timeout = 120_000;

describe("damaged packets", () => {
  test.each([4, 5] as const)(
    "are read or refused, alike however they are cut (protocol level %i)",
    { timeout },
    (version) => {
      readDamaged(version, runs / 2);
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
