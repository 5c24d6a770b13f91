import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect as connectSocket, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect as connectTls } from "node:tls";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { hashPassword } from "../../../src/broker/access/password-hash.ts";
import { encodePacket } from "../../../src/broker/codec/codec.ts";
import type { TcpListenerOptions } from "../../../src/broker/options.ts";
import { createAuthority, issueServer } from "../../../src/pki/authority.ts";
import { openTestBroker, type TestBroker } from "../support/broker.ts";
import { connectPacket, type Peer } from "../support/peer.ts";
import { proxied, proxyHeader } from "../support/proxy.ts";

let folder: string;
const pem = (name: string) => join(folder, name);
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "proxy-"));
  await createAuthority(folder);
  await issueServer(folder, ["localhost"]);
});
afterAll(() => rmSync(folder, { recursive: true }));

const open = (more: Partial<TcpListenerOptions> = {}, limits = {}) =>
  openTestBroker({ listeners: [{ address: "127.0.0.1", port: 0, proxyProtocol: true, ...more }], limits });

const connectBytes = encodePacket(connectPacket({ clientId: "c", version: 5 }), 5);
const secure = () => ({ tls: { certFile: pem("server.pem"), keyFile: pem("server.key") } });

const join_ = (broker: TestBroker, address: string, clientId = "c"): Peer =>
  broker.dial().send(proxied(address), encodePacket(connectPacket({ clientId, version: 5 }), 5));

/** What the log says of where clients connected from. */
const addresses = ({ logged }: TestBroker) =>
  logged.filter(({ message }) => message === "client connected").map(({ fields }) => fields?.address);

function throughProxy(broker: TestBroker): Socket {
  const socket = connectSocket(broker.port, "127.0.0.1");
  socket.write(proxied("203.0.113.9"));
  return socket;
}

const isConnack = (bytes: Buffer) => bytes[0] === 0x20 && bytes[3] === 0;
const firstData = (socket: Socket) => new Promise<Buffer>((resolve) => socket.once("data", resolve));

describe("a listener behind a proxy", () => {
  test("knows a client by the address that the proxy tells, whether it comes at once or byte by byte", async () => {
    await using broker = await open();
    await join_(broker, "203.0.113.9").nextOf("connack");
    const slow = broker.dial();
    slow.socket.setNoDelay(true);
    for (const byte of Buffer.concat([proxied("203.0.113.10"), connectBytes])) {
      slow.send(Buffer.from([byte]));
      await new Promise((resolve) => setImmediate(resolve));
    }
    await slow.nextOf("connack");
    expect(addresses(broker)).toEqual(["203.0.113.9", "203.0.113.10"]);
  });

  test("takes the proxy's own connections under its own address", async () => {
    await using broker = await open();
    await broker
      .dial()
      .send(proxyHeader(0x20, 0, ""), connectBytes)
      .nextOf("connack");
    expect(addresses(broker)).toEqual(["127.0.0.1"]);
  });

  test("serves TLS behind the header", async () => {
    await using broker = await open(secure());
    const raw = throughProxy(broker);
    const socket = connectTls({ socket: raw, ca: readFileSync(pem("ca.pem")), servername: "localhost" });
    socket.write(connectBytes);
    expect(isConnack(await firstData(socket))).toBe(true);
    expect(addresses(broker)).toEqual(["203.0.113.9"]);
    socket.destroy();
  });

  test("names the client's address where its TLS fails", async () => {
    await using broker = await open(secure());
    const socket = throughProxy(broker);
    socket.on("error", () => {});
    socket.write("this is no TLS at all");
    await new Promise((resolve) => socket.once("close", resolve));
    const failures = () => broker.logged.filter(({ message }) => message === "connection refused");
    await expect.poll(failures).toMatchObject([{ fields: { address: "203.0.113.9" } }]);
  });

  test.each([{ encrypted: false }, { encrypted: true }])(
    "serves WebSocket behind the header (TLS: $encrypted)",
    async ({ encrypted }) => {
      await using broker = await open({ protocol: "websocket", ...(encrypted && secure()) });
      const ca = readFileSync(pem("ca.pem"));
      const socket = new WebSocket(`${encrypted ? "wss" : "ws"}://localhost:${broker.port}/`, ["mqtt"], {
        createConnection: () => {
          const raw = throughProxy(broker);
          return encrypted ? connectTls({ socket: raw, ca, servername: "localhost" }) : raw;
        },
      });
      await new Promise((resolve) => socket.once("open", resolve));
      socket.send(connectBytes);
      const answer = await new Promise<Buffer>((resolve) => socket.once("message", resolve));
      expect(isConnack(answer)).toBe(true);
      expect(addresses(broker)).toEqual(["203.0.113.9"]);
      socket.terminate();
    },
  );

  test("counts connections of the clients' addresses, not of the proxy's", async () => {
    await using broker = await open({}, { connectionsPerAddress: 1 });
    const first = join_(broker, "203.0.113.1", "a");
    await first.nextOf("connack");
    await join_(broker, "203.0.113.2", "b").nextOf("connack");
    expect((await join_(broker, "203.0.113.1", "d").untilClosed()).length).toBe(0);
    expect(broker.logged.at(-1)).toMatchObject({
      message: "connections are refused",
      fields: { reason: "too many connections from one address", address: "203.0.113.1" },
    });
    first.socket.destroy();
    await expect.poll(() => broker.broker.stats().clients).toBe(1);
    await join_(broker, "203.0.113.1", "e").nextOf("connack");
  });

  test("slows down guessing of the clients' addresses, not of the proxy's", async () => {
    const passwordFile = pem("passwords");
    writeFileSync(passwordFile, `alice:${await hashPassword("right")}\n`);
    await using broker = await open({ passwordFile });
    const attempt = (address: string, password: string) =>
      broker
        .dial()
        .send(
          proxied(address),
          encodePacket(connectPacket({ version: 5, username: "alice", password: Buffer.from(password) }), 5),
        )
        .nextOf("connack");
    for (let i = 0; i < 5; i++) expect((await attempt("203.0.113.66", `wrong ${i}`)).reason).toBe(0x87);
    let isAnswered = false;
    const slowed = attempt("203.0.113.66", "right").then(() => {
      isAnswered = true;
    });
    expect((await attempt("203.0.113.7", "right")).reason).toBe(0);
    expect(isAnswered).toBe(false);
    broker.timers.advance(3000);
    await slowed;
  });

  test("closes what begins with anything else at once, and says so", async () => {
    await using broker = await open();
    expect((await broker.dial().send(connectBytes).untilClosed()).length).toBe(0);
    expect(broker.logged.at(-1)).toEqual({
      message: "connection refused",
      fields: { reason: "PROXY header: it is not there", address: "127.0.0.1" },
    });
    expect(broker.broker.stats().refusedConnections).toBe(1);
  });

  test("closes a connection whose header does not come in time, and is silent about one that just went", async () => {
    await using broker = await open({}, { connectTimeoutMs: 3000 });
    const begun = broker.dial().send(proxied("203.0.113.1").subarray(0, 20));
    broker.dial().socket.end();
    await expect
      .poll(() => {
        broker.timers.advance(1000);
        return broker.logged;
      })
      .toEqual([
        {
          message: "connection refused",
          fields: { reason: "PROXY header: it did not come in time", address: "127.0.0.1" },
        },
      ]);
    expect((await begun.untilClosed()).length).toBe(0);
  });
});
