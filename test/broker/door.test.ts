import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect as connectSocket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Sqlite from "better-sqlite3";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import WebSocket from "ws";
import type { Door } from "../../src/broker/door.ts";
import type { BrokerOptions } from "../../src/broker/options.ts";
import { createAuthority, issueServer } from "../../src/pki/authority.ts";
import { openTestBroker, type TestBroker } from "./support/broker.ts";
import { connectPacket, publishPacket } from "./support/peer.ts";

let folder: string;
const at = (name: string) => join(folder, name);

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "door-"));
  await createAuthority(folder);
  await issueServer(folder, ["localhost"]);
  writeFileSync(at("passwords"), `ann:$6$c2FsdA==$${Buffer.alloc(64).toString("base64")}\n`);
});
afterAll(() => rmSync(folder, { recursive: true }));

interface Knock {
  readonly door: Door;
  readonly reason: RegExp;
  readonly options?: () => Partial<BrokerOptions>;
  knock(broker: TestBroker): Promise<void>;
}

const listener = (more: object) => ({ listeners: [{ address: "127.0.0.1", port: 0, ...more }] });
const passwords = () => listener({ passwordFile: at("passwords") });
const lasting = { cleanStart: false, properties: { sessionExpiryInterval: 60 } };
const guess = (i: number) =>
  connectPacket({ version: 5, clientId: `guess-${i}`, username: "ann", password: Buffer.from(`wrong ${i}`) });

async function upgrade({ port }: TestBroker, protocol: string[], origin?: string): Promise<void> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/`, protocol, origin === undefined ? {} : { origin });
  await new Promise<void>((resolve) => socket.on("error", () => resolve()));
}

const knocks: readonly Knock[] = [
  {
    door: "listener_full",
    reason: /^too many connections$/,
    options: () => listener({ maxConnections: 1 }),
    async knock(broker) {
      await broker.join("first", 5);
      await broker.dial().untilClosed();
    },
  },
  {
    door: "address_full",
    reason: /^too many connections from one address$/,
    options: () => ({ limits: { connectionsPerAddress: 1 } }),
    async knock(broker) {
      await broker.join("first", 5);
      await broker.dial().untilClosed();
    },
  },
  {
    door: "proxy_header",
    reason: /^PROXY header: /,
    options: () => listener({ proxyProtocol: true }),
    async knock(broker) {
      await broker
        .dial()
        .send(connectPacket({ version: 5 }))
        .untilClosed();
    },
  },
  {
    door: "tls",
    reason: /^TLS: /,
    options: () => listener({ tls: { certFile: at("server.pem"), keyFile: at("server.key") } }),
    async knock(broker) {
      await broker
        .dial()
        .send(connectPacket({ version: 5 }))
        .untilClosed();
    },
  },
  {
    door: "websocket",
    reason: /^WebSocket without the subprotocol mqtt$/,
    options: () => listener({ protocol: "websocket" }),
    knock: (broker) => upgrade(broker, ["chat"]),
  },
  {
    door: "origin",
    reason: /^pages of https:\/\/evil\.example may not connect$/,
    options: () => listener({ protocol: "websocket" }),
    knock: (broker) => upgrade(broker, ["mqtt"], "https://evil.example"),
  },
  {
    door: "protocol",
    reason: /./,
    async knock(broker) {
      await broker.dial().send({ type: "pingreq" }).untilClosed();
    },
  },
  {
    door: "auth",
    reason: /^not let in$/,
    options: passwords,
    async knock(broker) {
      expect(await broker.dial().send(guess(0)).nextOf("connack")).toMatchObject({ reason: 0x87 });
    },
  },
  {
    door: "no_room",
    reason: /^no room for another session$/,
    options: () => ({ limits: { sessions: 0 } }),
    async knock(broker) {
      const peer = broker.dial().send(connectPacket({ version: 5, ...lasting }));
      expect(await peer.nextOf("connack")).toMatchObject({ reason: 0x97 });
    },
  },
  {
    door: "client_id",
    reason: /^no client id/,
    async knock(broker) {
      const peer = broker.dial(4).send(connectPacket({ version: 4, clientId: "", cleanStart: false }));
      expect(await peer.nextOf("connack")).toMatchObject({ reason: 2 });
    },
  },
  {
    door: "gone",
    reason: /ECONNRESET/,
    async knock(broker) {
      const socket = connectSocket(broker.port, "127.0.0.1");
      await expect.poll(() => broker.broker.stats().connections).toBe(1);
      socket.resetAndDestroy();
    },
  },
  {
    door: "disk",
    reason: /^the disk refuses another session$/,
    options: () => ({ persistence: { directory: folder, stagingPath: at("staging"), windowMs: 0 } }),
    async knock(broker) {
      const other = new Sqlite(at("broker.db"));
      other.exec("BEGIN IMMEDIATE");
      const first = await broker.join("first", 5);
      first.send(publishPacket("a", "x", { retain: true, qos: 1 }));
      const faulty = () => {
        broker.timers.advance(1000);
        return broker.broker.stats().persistenceFault;
      };
      await expect.poll(faulty, { timeout: 15_000 }).toBe("STORE_IO");
      const peer = broker.dial().send(connectPacket({ version: 5, ...lasting, clientId: "second" }));
      expect(await peer.nextOf("connack")).toMatchObject({ reason: 0x97 });
      other.exec("ROLLBACK");
      other.close();
    },
  },
  {
    door: "timeout",
    reason: /^no CONNECT in time$/,
    async knock(broker) {
      const peer = broker.dial();
      await expect.poll(() => broker.broker.stats().connections).toBe(1);
      broker.timers.advance(10_001);
      await peer.untilClosed();
    },
  },
];

const refusalsLogged = ({ logged }: TestBroker) => logged.filter(({ message }) => /refused/.test(message));

describe("a connection that is not let in", () => {
  test.each(knocks)("is counted under $door, and logged once with the reason", async (one) => {
    await using broker = await openTestBroker(one.options?.());
    await one.knock(broker);
    await expect.poll(() => broker.broker.stats().refusedAt[one.door], { timeout: 15_000 }).toBe(1);
    expect(broker.broker.stats().refusedConnections).toBe(1);
    expect(refusalsLogged(broker)).toHaveLength(1);
    expect(refusalsLogged(broker)[0]?.fields?.reason).toMatch(one.reason);
    expect(refusalsLogged(broker)[0]?.fields?.address).toBe("127.0.0.1");
  });

  test("is counted under slowed where its address guesses passwords", async () => {
    await using broker = await openTestBroker(passwords());
    const { stats } = broker.broker;
    const settled = () => stats().refusedAt.auth + stats().refusedAt.slowed;
    for (let i = 0; i < 12; i++) {
      broker.dial().send(guess(i));
      await expect
        .poll(
          () => {
            broker.timers.advance(1000);
            return settled();
          },
          { timeout: 15_000 },
        )
        .toBe(i + 1);
    }
    for (let i = 12; i < 16; i++) broker.dial().send(guess(i));
    await expect.poll(() => stats().refusedAt.slowed, { timeout: 15_000 }).toBeGreaterThan(0);
    expect(stats().refusals["0x9f"]).toBe(stats().refusedAt.slowed);
  });

  test("is not counted where it just goes, as port scans and health checks do", async () => {
    await using broker = await openTestBroker();
    const scan = connectSocket(broker.port, "127.0.0.1");
    await expect.poll(() => broker.broker.stats().connections).toBe(1);
    scan.destroy();
    await broker.join("after", 5);
    expect(broker.broker.stats().refusedConnections).toBe(0);
    expect(refusalsLogged(broker)).toEqual([]);
  });
});
