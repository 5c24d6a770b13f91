import { describe, expect, test } from "vitest";
import { Message } from "../../src/broker/message.ts";
import { TopicTable } from "../../src/broker/routing/topic-table.ts";

const payload = Buffer.from("21.5");

/** As it comes in: in a chunk of a socket, among others. */
function received(): Message {
  const source = Buffer.alloc(65_536);
  payload.copy(source, 1000);
  const place = { propertiesStart: 1000, payloadStart: 1000, payloadEnd: 1000 + payload.length, expiryAt: -1 };
  const parts = { source, qos: 1, retain: false, ...place } as const;
  return new Message(new TopicTable(10).internName("bench/a"), parts, Number.POSITIVE_INFINITY);
}

function payloadOf({ source, payloadStart, payloadEnd }: Message): Buffer {
  return source.subarray(payloadStart, payloadEnd);
}

describe("a message that is kept", () => {
  test("does not keep the socket's chunk", () => {
    const message = received();
    message.keep(false);
    expect(message.source.buffer.byteLength).toBeLessThan(65_536);
    expect(payloadOf(message)).toEqual(payload);
  });

  test("for long keeps its own bytes alone, also where it was sent to others at once", () => {
    const message = received();
    message.wire(4, 0, false);
    message.keep(true);
    message.wire(5, 1, false);
    message.routed();
    expect(message.source.buffer.byteLength).toBe(payload.length);
    expect(payloadOf(message)).toEqual(payload);
    expect(message.wire(4, 0, false).bytes.subarray(-payload.length)).toEqual(payload);
  });

  test("for others that have it at once keeps its forms on the wire", () => {
    const message = received();
    const wire = message.wire(4, 1, false);
    message.keep(false);
    message.routed();
    expect(message.wire(4, 1, false)).toBe(wire);
  });

  test.each<readonly ((message: Message) => unknown)[]>([
    [(one) => one.wire(5, 1, false), (one) => one.wire(4, 0, false), (one) => one.keep(true), (one) => one.routed()],
    [(one) => one.wire(4, 1, false), (one) => one.wire(5, 0, true), (one) => one.keep(false), (one) => one.routed()],
    [(one) => one.keep(true), (one) => one.wire(5, 2, false), (one) => one.routed(), (one) => one.wire(4, 2, false)],
  ])("counts as the same bytes whatever becomes of it: what was added to a limit is what is taken off", (...steps) => {
    const message = received();
    const { byteLength } = message;
    for (const step of steps) {
      step(message);
      expect(message.byteLength).toBe(byteLength);
    }
  });
});
