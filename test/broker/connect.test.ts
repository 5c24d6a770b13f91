import { describe, expect, test } from "vitest";
import { openTestBroker, subscribe } from "./support/broker.ts";
import { connectPacket, publishPacket } from "./support/peer.ts";

const goodbye = { type: "disconnect", reason: 0, properties: {} } as const;

describe("CONNECT", () => {
  test("[MQTT-3.1.0-1] a first packet that is not CONNECT closes the connection without an answer", async () => {
    await using broker = await openTestBroker();
    expect(await broker.dial().sendHex("c000").untilClosed()).toHaveLength(0);
  });

  test("[MQTT-3.1.0-2] a second CONNECT ends the connection as a protocol error", async () => {
    await using broker = await openTestBroker();
    const peer = await broker.join("twice", 5);
    peer.send(connectPacket({ version: 5, clientId: "twice" }));
    expect(await peer.nextOf("disconnect")).toMatchObject({ reason: 0x82 });
    expect(await peer.next()).toBe("closed");
  });

  test.each([
    ["MQTT 3.1 without a client id", "10 0e 00064d5149736470 03 02 003c 0000", "20020002"],
    ["[MQTT-3.1.2-2] a level before 3.1.1", "10 0e 00044d515454 03 02 003c 0002 6162", "20020001"],
    ["[MQTT-3.1.2-2] a level after 5.0", "10 0e 00044d515454 06 02 003c 0002 6162", "2003008400"],
    ["[MQTT-3.1.2-2] a level that never was", "10 10 00064d5149736470 02 02 003c 0002 6162", "2003008400"],
    ["3.1.1 as Mosquitto's bridges try it first", "10 0e 00044d515454 84 02 003c 0002 6162", "20020001"],
    ["reserved bits in the first byte, in 3.1.1", "14 0e 00044d515454 04 02 003c 0002 6162", ""],
    ["reserved bits in the first byte, in 5.0", "14 0f 00044d515454 05 02 003c 00 0002 6162", ""],
    ["[MQTT-3.1.2-1] another protocol", "10 0e 00044d515458 04 02 003c 0002 6162", ""],
    ["[MQTT-3.1.2-3] a reserved flag, in 5.0", "10 0f 00044d515454 05 03 003c 00 0002 6162", "2003008100"],
    ["a reserved flag, in 3.1.1", "10 0e 00044d515454 04 03 003c 0002 6162", ""],
    ["a session to keep without a client id, in 3.1.1", "10 0c 00044d515454 04 00 003c 0000", "20020002"],
    ["[MQTT-4.12.0-1] an authentication method", "10 14 00044d515454 05 02 003c 04 15000158 0003 616263", "2003008c00"],
    [
      "[MQTT-1.5.5-1] a header longer than it needs to be, in 5.0",
      "10 8f00 00044d515454 05 02 003c 00 0002 6162",
      "2003008100",
    ],
  ])("%s is refused", async (_what, hex, answer) => {
    await using broker = await openTestBroker();
    expect((await broker.dial().sendHex(hex).untilClosed()).toString("hex")).toBe(answer);
  });

  test("MQTT 3.1.1 is answered with four bytes", async () => {
    await using broker = await openTestBroker();
    const peer = broker.dial(4).sendHex("10 0e 00044d515454 04 02 003c 0002 6162");
    peer.send(goodbye);
    expect((await peer.untilClosed()).toString("hex")).toBe("20020000");
  });

  test("MQTT 3.1 is served, and not told of a session", async () => {
    await using broker = await openTestBroker();
    const hello = "10 10 00064d5149736470 03 00 003c 0002 6162";
    for (let time = 0; time < 2; time++) {
      const peer = broker.dial(4).sendHex(hello).send(goodbye);
      expect((await peer.untilClosed()).toString("hex")).toBe("20020000");
    }
    expect(broker.broker.stats().sessions).toBe(1);
  });

  test("[MQTT-3.1.2-24] a client too small for CONNACK is sent nothing", async () => {
    await using broker = await openTestBroker();
    const peer = broker.dial(5).send(connectPacket({ version: 5, properties: { maximumPacketSize: 15 } }));
    expect(await peer.untilClosed()).toHaveLength(0);
    expect(broker.broker.stats().sessions).toBe(0);
    await broker.join("big enough", 5, { properties: { maximumPacketSize: 16 } });
  });

  test("a client id of 65,535 bytes is cut short in the log", async () => {
    await using broker = await openTestBroker();
    await broker.join("a".repeat(65_535), 5);
    expect(broker.logged).toContainEqual(
      expect.objectContaining({ fields: expect.objectContaining({ clientId: `${"a".repeat(256)}…` }) }),
    );
  });

  test("CONNACK of 5.0 states the limits, in the order that byte-exact tools expect", async () => {
    await using broker = await openTestBroker();
    const peer = broker.dial(5).sendHex("10 0f 00044d515454 05 02 003c 00 0002 6162").send(goodbye);
    expect((await peer.untilClosed()).toString("hex")).toBe(
      "200e" + "0000" + "0b" + "22000a" + "27001e8480" + "210014",
    );
  });

  test("[MQTT-3.1.3-7] a client without an id is given one and told so", async () => {
    await using broker = await openTestBroker({ autoIdPrefix: "made-" });
    const { connack } = await broker.accepted(connectPacket({ version: 5, clientId: "" }));
    expect(connack.properties.assignedClientIdentifier).toMatch(/^made-.{8}/);
  });

  test("[MQTT-3.1.4-3] a client that takes an id over ends whoever had it, with 0x8e", async () => {
    await using broker = await openTestBroker();
    const first = await broker.join("same", 5);
    const second = await broker.join("same", 4);
    expect(await first.nextOf("disconnect")).toMatchObject({ reason: 0x8e });
    expect(await first.next()).toBe("closed");
    expect(await second.untilPong()).toEqual([]);
    expect(broker.broker.stats().clients).toBe(1);
  });

  test("packets sent along with CONNECT are taken once it was accepted", async () => {
    await using broker = await openTestBroker({ authenticate: async () => ({ ok: true }), authorise: () => true });
    const peer = broker.dial();
    peer.send(connectPacket({ version: 5, username: "u" }), publishPacket("a", "1", { qos: 1 }), { type: "pingreq" });
    await peer.nextOf("connack");
    await peer.nextOf("puback");
    await peer.nextOf("pingresp");
  });

  test("a connection without CONNECT is closed in time", async () => {
    await using broker = await openTestBroker({ limits: { connectTimeoutMs: 5000 } });
    const peer = broker.dial();
    await expect.poll(() => broker.broker.stats().connections).toBe(1);
    broker.timers.advance(5001);
    expect(await peer.untilClosed()).toHaveLength(0);
  });

  test("[MQTT-3.1.4-2] whoever authentication refuses is told the reason, in the words of its version", async () => {
    await using broker = await openTestBroker({
      authenticate: ({ username, password }) =>
        username === "ann" && password?.toString() === "secret" ? { ok: true, username } : { refused: 0x86 },
    });
    const refused = broker.dial(5).send(connectPacket({ version: 5, username: "ann", password: Buffer.from("no") }));
    expect(await refused.nextOf("connack")).toMatchObject({ reason: 0x86 });
    const older = broker.dial(4).send(connectPacket({ version: 4, username: "bob" }));
    expect(await older.nextOf("connack")).toMatchObject({ reason: 4 });
    const anonymous = broker.dial(5).send(connectPacket({ version: 5 }));
    expect(await anonymous.nextOf("connack")).toMatchObject({ reason: 0x86 });
    await broker.join("in", 5, { username: "ann", password: Buffer.from("secret") });
  });

  test("connecting and leaving are logged once, with the reason", async () => {
    await using broker = await openTestBroker();
    const peer = await broker.join("logged", 5);
    peer.send(publishPacket("a", "1"), goodbye);
    await peer.untilClosed();
    expect(broker.logged.map(({ message, fields }) => [message, fields?.reason])).toEqual([
      ["client connected", undefined],
      ["client disconnected", "it said goodbye"],
    ]);
  });
});

describe("keep alive", () => {
  test("[MQTT-3.1.2-22] a client silent for one and a half times its keep alive is disconnected with 0x8d", async () => {
    await using broker = await openTestBroker();
    const peer = await broker.join("quiet", 5, { keepAliveS: 10 });
    broker.timers.advance(14_000);
    await peer.untilPong();
    broker.timers.advance(14_900);
    await peer.untilPong();
    broker.timers.advance(15_000);
    expect(await peer.nextOf("disconnect")).toMatchObject({ reason: 0x8d });
  });

  test("(3.1.1) a client silent for one and a half times its keep alive is disconnected", async () => {
    await using broker = await openTestBroker();
    const peer = await broker.join("quiet", 4, { keepAliveS: 1 });
    broker.timers.advance(1500);
    expect(await peer.next()).toBe("closed");
  });

  test("a 5.0 client that wants none, or a longer one, is given the server's", async () => {
    await using broker = await openTestBroker({ limits: { keepAliveS: 100 } });
    const none = await broker.accepted(connectPacket({ version: 5, clientId: "none", keepAliveS: 0 }));
    expect(none.connack.properties.serverKeepAlive).toBe(100);
    const longer = await broker.accepted(connectPacket({ version: 5, clientId: "longer", keepAliveS: 101 }));
    expect(longer.connack.properties.serverKeepAlive).toBe(100);
    broker.timers.advance(150_000);
    expect(await none.peer.nextOf("disconnect")).toMatchObject({ reason: 0x8d });
  });

  test("a 3.1.1 client without one may be silent", async () => {
    await using broker = await openTestBroker();
    const peer = await broker.join("quiet", 4, { keepAliveS: 0 });
    broker.timers.advance(1e9);
    expect(await peer.untilPong()).toEqual([]);
  });
});

describe("stopping", () => {
  test("every client is told 0x8b, and no will is published", async () => {
    const broker = await openTestBroker();
    const watcher = await broker.join("watcher", 5);
    await subscribe(watcher, "#");
    await broker.join("other", 4, {
      will: { topic: "w", payload: Buffer.from("gone"), qos: 0, retain: false, properties: {} },
    });
    const stopped = broker.broker[Symbol.asyncDispose]();
    expect(await watcher.nextOf("disconnect")).toMatchObject({ reason: 0x8b });
    expect(await watcher.next()).toBe("closed");
    await stopped;
  });
});
