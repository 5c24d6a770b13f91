import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { get } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connectAsync, type IClientOptions } from "mqtt";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { encodePacket } from "../../../src/broker/codec/codec.ts";
import { isOriginAllowed } from "../../../src/broker/listeners/origin.ts";
import type { ListenerOptions } from "../../../src/broker/options.ts";
import { createAuthority, issueClient, issueServer } from "../../../src/pki/authority.ts";
import { openTestBroker, subscribe, type TestBroker } from "../support/broker.ts";
import { connectPacket, Peer, publishPacket } from "../support/peer.ts";

let folder: string;
const pem = (name: string) => join(folder, name);
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "ws-"));
  await createAuthority(folder);
  await issueServer(folder, ["localhost"]);
  await issueClient(folder, "alice");
});
afterAll(() => rmSync(folder, { recursive: true }));

const open = (more: Partial<ListenerOptions> = {}) =>
  openTestBroker({
    listeners: [
      { address: "127.0.0.1", port: 0, protocol: "websocket", ...more } as ListenerOptions,
      { address: "127.0.0.1", port: 0 },
    ],
  });
const secure = () => ({
  tls: { certFile: pem("server.pem"), keyFile: pem("server.key"), caFile: pem("ca.pem"), identityAsUsername: true },
});

/** A bare WebSocket: what it is told to send, and how it ended. */
function dial(broker: TestBroker, protocol: string | undefined = "mqtt", origin?: string) {
  const options = origin === undefined ? {} : { origin };
  const socket = new WebSocket(`ws://127.0.0.1:${broker.port}/mqtt`, protocol === undefined ? [] : [protocol], options);
  const ended = new Promise<string>((resolve) => {
    socket.on("unexpected-response", (_request, response) => resolve(`${response.statusCode}`));
    socket.on("error", () => {});
    socket.on("close", (code) => resolve(`closed ${code}`));
  });
  const opened = new Promise<void>((resolve) => socket.once("open", resolve));
  return { socket, ended, opened };
}

const connect = encodePacket(connectPacket({ version: 5, clientId: "c" }), 5);

describe.each([4, 5] as const)("mqtt.js over WebSocket (protocol level %i)", (protocolVersion) => {
  test.each(["ws", "wss"] as const)("exchanges messages of any size over %s", async (scheme) => {
    await using broker = await open(scheme === "wss" ? secure() : {});
    const options: IClientOptions = {
      protocolVersion,
      reconnectPeriod: 0,
      ...(scheme === "wss" && { ca: [readFileSync(pem("ca.pem"))] }),
    };
    const client = await connectAsync(`${scheme}://localhost:${broker.port}/mqtt`, options);
    await client.subscribeAsync("a", { qos: 2 });
    const sizes: number[] = [];
    client.on("message", (_topic, payload) => sizes.push(payload.length));
    for (const size of [0, 1, 70_000, 1_500_000])
      await client.publishAsync("a", Buffer.alloc(size, "x"), { qos: size > 0 ? 1 : 2 });
    await expect.poll(() => sizes).toEqual([0, 1, 70_000, 1_500_000]);
    await client.endAsync();
    await expect.poll(() => broker.broker.stats().clients).toBe(0);
  });
});

describe("a WebSocket listener", () => {
  test("takes a client's certificate for its name", async () => {
    await using broker = await open(secure());
    const client = await connectAsync(`wss://localhost:${broker.port}`, {
      reconnectPeriod: 0,
      ca: [readFileSync(pem("ca.pem"))],
      cert: readFileSync(pem("alice.pem"), "utf8"),
      key: readFileSync(pem("alice.key"), "utf8"),
    });
    await client.endAsync();
    expect(broker.logged.find(({ message }) => message === "client connected")?.fields).toMatchObject({
      username: "alice",
      address: "127.0.0.1",
    });
  });

  test("[MQTT-6.0.0-2] does not care how packets are cut into messages", async () => {
    await using broker = await open();
    const { socket, opened } = dial(broker);
    await opened;
    const answers: Buffer[] = [];
    socket.on("message", (data: Buffer) => answers.push(data));
    const bytes = Buffer.concat([connect, encodePacket({ type: "pingreq" }, 5), encodePacket({ type: "pingreq" }, 5)]);
    for (const byte of bytes.subarray(0, 9)) socket.send(Buffer.from([byte]));
    socket.send(bytes.subarray(9));
    await expect.poll(() => Buffer.concat(answers).toString("hex")).toMatch(/^20.*d000d000$/);
    socket.terminate();
  });

  test("[MQTT-6.0.0-1] closes the connection at a text message", async () => {
    await using broker = await open();
    const { socket, ended, opened } = dial(broker);
    await opened;
    socket.send("hello");
    expect(await ended).toMatch(/^closed/);
    expect(broker.broker.stats().clients).toBe(0);
  });

  test("[MQTT-6.0.0-3] [MQTT-6.0.0-4] speaks the subprotocol mqtt and nothing else", async () => {
    await using broker = await open();
    const { socket, opened } = dial(broker);
    await opened;
    expect(socket.protocol).toBe("mqtt");
    socket.terminate();
    expect(await dial(broker, "chat").ended).toBe("400");
    expect(broker.broker.stats().refusedConnections).toBe(1);
  });

  test("refuses pages of other hosts, unless they are listed", async () => {
    await using closed = await open();
    expect(await dial(closed, "mqtt", "https://evil.example").ended).toBe("403");
    await using listed = await open({ origins: ["https://home.example.org"] });
    await dial(listed, "mqtt", "https://home.example.org").opened;
    expect(await dial(listed, "mqtt", "http://127.0.0.1").ended).toBe("403");
  });

  test("tells a browser what it is", async () => {
    await using broker = await open();
    const status = await new Promise((resolve) => {
      get(`http://127.0.0.1:${broker.port}/`, (response) => resolve(response.resume().statusCode));
    });
    expect(status).toBe(426);
  });

  test("closes a message that is too large for any packet, and before CONNECT one that is too large for that", async () => {
    await using broker = await open();
    const early = dial(broker);
    await early.opened;
    early.socket.send(Buffer.alloc(300_000));
    expect(await early.ended).toBe("closed 1006");
    const late = dial(broker);
    await late.opened;
    late.socket.send(connect);
    await new Promise((resolve) => late.socket.once("message", resolve));
    late.socket.send(Buffer.alloc(3_000_000));
    expect(await late.ended).toMatch(/^closed (1006|1009)/);
    await expect.poll(() => broker.broker.stats().clients).toBe(0);
  });

  test("closes who opens it and then says nothing", async () => {
    await using broker = await open();
    const silent = dial(broker);
    await silent.opened;
    await expect.poll(() => broker.broker.stats().connections).toBe(1);
    broker.timers.advance(10_000);
    broker.timers.advance(2_000);
    expect(await silent.ended).toMatch(/^closed/);
  });

  test("does not let a page that does not read slow down others", async () => {
    await using broker = await open();
    const slow = dial(broker);
    await slow.opened;
    slow.socket.send(connect);
    await new Promise((resolve) => slow.socket.once("message", resolve));
    slow.socket.send(
      encodePacket(
        {
          type: "subscribe",
          packetId: 1,
          subscriptions: [{ filter: "#", qos: 0, noLocal: false, retainAsPublished: false, retainHandling: 0 }],
          properties: {},
        },
        5,
      ),
    );
    await new Promise((resolve) => slow.socket.once("message", resolve));
    slow.socket.pause();
    const [, plain] = broker.broker.addresses as readonly { port: number }[];
    const client = await connectAsync(`mqtt://127.0.0.1:${plain?.port}`, { protocolVersion: 5, reconnectPeriod: 0 });
    await client.subscribeAsync("fast");
    for (let i = 0; i < 60; i++) await client.publishAsync("bulk", Buffer.alloc(500_000), { qos: 1 });
    const received = new Promise((resolve) => client.once("message", resolve));
    await client.publishAsync("fast", "x");
    await received;
    expect(broker.broker.stats().dropped.slow).toBeGreaterThan(0);
    await client.endAsync();
    slow.socket.terminate();
  });
});

describe("the origin of a page", () => {
  test.each([
    [undefined, "broker.example", false, true],
    ["http://192.168.1.5", "192.168.1.5:8884", false, true],
    ["http://pi.local:8123", "pi.local:8884", false, true],
    ["http://[::1]:80", "[::1]:8884", false, true],
    ["http://rebound.example", "rebound.example:8884", false, false],
    ["https://home.example", "home.example:8884", true, true],
    ["https://other.example", "home.example:8884", true, false],
    ["null", "home.example:8884", true, false],
    ["http://x", undefined, true, false],
  ])("%s at %s (encrypted: %s) may connect: %s", (origin, host, encrypted, expected) => {
    expect(isOriginAllowed(origin, host, undefined, encrypted)).toBe(expected);
  });
});

test("publishing and subscribing meet across TCP and WebSocket", async () => {
  await using broker = await open();
  const page = await connectAsync(`ws://127.0.0.1:${broker.port}`, { reconnectPeriod: 0 });
  const [, plain] = broker.broker.addresses as readonly { port: number }[];
  using peer = new Peer({ host: "127.0.0.1", port: plain?.port ?? 0 }, 5);
  peer.send(connectPacket({ version: 5, clientId: "tcp" }));
  await peer.nextOf("connack");
  await subscribe(peer, "a");
  await page.publishAsync("a", "from a page", { qos: 1 });
  expect((await peer.nextOf("publish")).payload.toString()).toBe("from a page");
  const received = new Promise<string>((resolve) => page.once("message", (_topic, payload) => resolve(`${payload}`)));
  await page.subscribeAsync("b");
  peer.send(publishPacket("b", "from tcp"));
  expect(await received).toBe("from tcp");
  await page.endAsync();
});
