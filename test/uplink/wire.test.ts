import { Duplex } from "node:stream";
import { setImmediate as turn } from "node:timers/promises";
import fc from "fast-check";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { decodePacket } from "../../src/broker/codec/codec.ts";
import { findBody } from "../../src/broker/codec/fixed-header.ts";
import { ClientIds, OwnIds } from "../../src/uplink/client/packet-ids.ts";
import { PubackFilter } from "../../src/uplink/client/puback-filter.ts";
import { layoutOf, writePublish } from "../../src/uplink/client/publish-packet.ts";
import { Wire } from "../../src/uplink/client/wire.ts";
import type { Publication, Qos } from "../../src/uplink/link.ts";

/** The other end of the line: what was written to it piece by piece, and what it says. */
class FakeSocket extends Duplex {
  readonly pieces: Buffer[] = [];
  isSlow = false;
  #taken: (() => void) | undefined;

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.pieces.push(Buffer.from(chunk));
    if (this.isSlow) this.#taken = done;
    else done();
  }

  catchUp(): void {
    this.isSlow = false;
    this.#taken?.();
  }
}

const message = (payload: string): Publication => ({ topic: "a/readings", payload, qos: 1 });

function publish(wire: Wire, id: number, payload = "1"): void {
  const one = message(payload);
  wire.publish(layoutOf(one, 1, "5"), one, false, id);
}

describe("PUBLISH packets", () => {
  const text = fc.string({ unit: "grapheme", minLength: 1, maxLength: 40 }).filter((topic) => !/[+#\0]/.test(topic));
  const publication = fc.record(
    {
      topic: text,
      payload: fc.oneof(
        fc.string({ unit: "grapheme" }),
        fc.nat(20_000).map((length) => "é".repeat(length)),
      ),
      expirySeconds: fc.nat(0xffffffff),
      correlationData: fc.uint8Array({ minLength: 1, maxLength: 20 }),
    },
    { requiredKeys: ["topic", "payload"] },
  );

  test.each(["5", "3.1.1"] as const)(
    "under MQTT %s the broker reads what was written, in the length that was foretold",
    (protocol) => {
      fc.assert(
        fc.property(publication, fc.boolean(), fc.constantFrom<Qos>(0, 1, 2), (made, retain, qos) => {
          const layout = layoutOf({ ...made, qos }, qos, protocol);
          const bytes = Buffer.alloc(layout.whole + 7, 0xee);
          writePublish(bytes, 3, layout, { ...made, qos }, retain, 517);
          expect([...bytes.subarray(0, 3), ...bytes.subarray(3 + layout.whole)]).toEqual(Array(7).fill(0xee));
          const packet = bytes.subarray(3, 3 + layout.whole);
          const start = findBody(packet, 0, packet.length);
          const read = decodePacket(packet[0]!, packet, start, packet.length, protocol === "5" ? 5 : 4);
          expect(read).toMatchObject({ type: "publish", topic: made.topic, qos, retain });
          if (read.type !== "publish") return;
          expect(Buffer.from(read.payload).toString()).toBe(made.payload);
          if (qos > 0) expect(read.packetId).toBe(517);
          if (protocol !== "5") return;
          expect(read.properties?.messageExpiryInterval).toBe(made.expirySeconds);
          const given = made.correlationData && Buffer.from(made.correlationData).toString("hex");
          const { correlationData } = read.properties ?? {};
          expect(correlationData && Buffer.from(correlationData).toString("hex")).toBe(given);
        }),
      );
    },
  );
});

describe("acknowledgements", () => {
  const puback = fc
    .record({
      id: fc.integer({ min: 1, max: 60_000 }),
      code: fc.constantFrom(undefined, 0, 0x10, 0x97),
      reason: fc.nat(300),
    })
    .map(({ id, code, reason }) => ({ id, code: code ?? 0, bytes: pubackBytes(id, code, reason) }));
  const other = fc
    .record({ first: fc.constantFrom(0x30, 0x20, 0xd0, 0x90, 0x50, 0xe0), body: fc.uint8Array({ maxLength: 400 }) })
    .map(({ first, body }) => ({ bytes: Buffer.concat([header(first, body.length), body]) }));

  test("are taken out of the stream wherever it is cut, and nothing else is", () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(puback, other)),
        fc.infiniteStream(fc.integer({ min: 1, max: 50 })),
        (packets, cuts) => {
          const heard: Array<readonly [number, number]> = [];
          const rest: Buffer[] = [];
          const filter = new PubackFilter({
            acknowledged: (id, code) => id <= 50_000 && heard.push([id, code]) > 0,
            rest: (bytes) => rest.push(bytes),
          });
          const stream = Buffer.concat(packets.map(({ bytes }) => bytes));
          for (let at = 0; at < stream.length; ) {
            const end = at + cuts.next().value;
            filter.feed(stream.subarray(at, end));
            at = end;
          }
          const isOurs = (packet: (typeof packets)[number]) => "id" in packet && packet.id <= 50_000;
          expect(heard).toEqual(
            packets.flatMap((packet) => ("id" in packet && isOurs(packet) ? [[packet.id, packet.code]] : [])),
          );
          expect(Buffer.concat(rest)).toEqual(
            Buffer.concat(packets.filter((packet) => !isOurs(packet)).map(({ bytes }) => bytes)),
          );
        },
      ),
    );
  });

  test("after a length that MQTT does not know everything is left to the one who complains", () => {
    const rest: Buffer[] = [];
    const heard: number[] = [];
    const filter = new PubackFilter({ acknowledged: (id) => heard.push(id) > 0, rest: (bytes) => rest.push(bytes) });
    const bytes = Buffer.concat([Buffer.from([0x30, 0xff, 0xff, 0xff, 0xff, 1]), pubackBytes(1, 0, 0)]);
    filter.feed(bytes);
    filter.feed(bytes);
    expect(heard).toEqual([]);
    expect(Buffer.concat(rest)).toEqual(Buffer.concat([bytes, bytes]));
  });
});

describe("packet ids", () => {
  test("are given anew only when they are free, and never those of mqtt.js", () => {
    const own = new OwnIds<string>();
    const clients = new ClientIds();
    const first = own.give("stays");
    const given = new Set<number>();
    for (let n = 0; n < 60_000; n++) {
      const id = own.give("goes");
      given.add(id);
      own.take(id);
    }
    expect(given.has(first)).toBe(false);
    expect(given.size).toBe(49_999);
    expect(own.take(first)).toBe("stays");
    expect(own.take(first)).toBeUndefined();
    const theirs = Array.from({ length: 15_535 }, () => clients.allocate()!);
    expect(clients.allocate()).toBeNull();
    expect(theirs.some((id) => given.has(id) || id === first)).toBe(false);
    clients.deallocate(theirs[7]!);
    expect(clients.allocate()).toBe(theirs[7]);
  });
});

describe("the wire", () => {
  test("sends as one piece what is written in one turn, in order", async () => {
    const socket = new FakeSocket();
    const wire = new Wire(socket);
    wire.write("ab");
    publish(wire, 1, "one");
    wire.write("cd");
    publish(wire, 2, "two");
    await turn();
    expect(socket.pieces).toHaveLength(1);
    expect(socket.pieces[0]?.toString("latin1")).toMatch(/^ab.*one.*cd.*two$/s);
  });

  test("lets little wait for more while the broker has much to do, but not for long", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    onTestFinished(() => void vi.useRealTimers());
    const socket = new FakeSocket();
    const wire = new Wire(socket);
    wire.underWay = () => 90;
    publish(wire, 1, "one");
    await turn();
    publish(wire, 2, "two");
    await turn();
    expect(socket.pieces).toHaveLength(0);
    vi.advanceTimersByTime(2);
    expect(socket.pieces).toHaveLength(1);
    publish(wire, 3, "x".repeat(5000));
    await turn();
    expect(socket.pieces).toHaveLength(2);
  });

  test("keeps what mqtt.js writes waiting while the socket is full", async () => {
    const socket = new FakeSocket();
    const wire = new Wire(socket);
    socket.isSlow = true;
    wire.write(Buffer.alloc(200_000));
    await turn();
    const done = new Promise<void>((resolve) => wire.write("more", () => resolve()));
    const first = await Promise.race([done.then(() => "written"), turn("waiting")]);
    expect(first).toBe("waiting");
    socket.catchUp();
    await done;
  });

  test("hands on all that came before the end, and closes", async () => {
    const socket = new FakeSocket();
    const wire = new Wire(socket);
    const closed = new Promise<void>((resolve) => wire.once("close", () => resolve()));
    socket.push(Buffer.concat([header(0xe0, 2), Buffer.from([0x8d, 0])]));
    socket.push(null);
    const seen: Buffer[] = [];
    wire.on("data", (bytes: Buffer) => seen.push(bytes));
    await closed;
    expect(Buffer.concat(seen).toString("hex")).toBe("e0028d00");
    expect(socket.destroyed).toBe(true);
  });

  test("fails as its socket fails", async () => {
    const socket = new FakeSocket();
    const wire = new Wire(socket);
    const failed = new Promise<Error>((resolve) => wire.once("error", resolve));
    socket.destroy(Object.assign(new Error("reset"), { code: "ECONNRESET" }));
    expect(await failed).toMatchObject({ code: "ECONNRESET" });
  });
});

function header(first: number, length: number): Buffer {
  return Buffer.from(length < 0x80 ? [first, length] : [first, (length & 0x7f) | 0x80, length >> 7]);
}

/** With a reason string of so many characters where there is a code. */
function pubackBytes(id: number, code: number | undefined, reason: number): Buffer {
  const text = Buffer.from("r".repeat(reason));
  const properties = Buffer.concat([Buffer.from([0x1f, text.length >> 8, text.length & 0xff]), text]);
  const size =
    properties.length < 0x80 ? [properties.length] : [(properties.length & 0x7f) | 0x80, properties.length >> 7];
  const body = Buffer.concat([
    Buffer.from([id >> 8, id & 0xff]),
    ...(code === undefined ? [] : [Buffer.from([code, ...size]), properties]),
  ]);
  return Buffer.concat([header(0x40, body.length), body]);
}
