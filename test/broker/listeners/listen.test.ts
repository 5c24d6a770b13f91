import { execFileSync } from "node:child_process";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openBroker } from "../../../src/broker/broker.ts";
import type { Log } from "../../../src/core/log.ts";
import { openTestBroker, subscribe } from "../support/broker.ts";
import { connectPacket, Peer, publishPacket } from "../support/peer.ts";

const log: Log = { debug() {}, info() {}, warn() {}, error() {}, part: () => log };

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "broker-"));
});
afterEach(() => rm(folder, { recursive: true }));

describe("listeners", () => {
  test.each(["0.0.0.0", "::", "192.0.2.1", "127.example.org"])(
    "does not listen on %s without authentication",
    async (address) => {
      await expect(openBroker({ listeners: [{ address, port: 0 }] }, { log })).rejects.toMatchObject({
        code: "CONFIG_INVALID",
        message: expect.stringContaining(address),
      });
    },
  );

  test("says which port is taken", async () => {
    await using taken = await openTestBroker();
    const second = openBroker({ listeners: [{ address: "127.0.0.1", port: taken.port }] }, { log });
    await expect(second).rejects.toMatchObject({
      code: "ADDRESS_IN_USE",
      message: `the broker cannot listen on 127.0.0.1 port ${taken.port}: another program does`,
    });
  });

  test("closes what it opened when a later listener fails", async () => {
    await using taken = await openTestBroker();
    const path = join(folder, "mqtt.sock");
    const listeners = [{ path }, { address: "127.0.0.1", port: taken.port }];
    await expect(openBroker({ listeners }, { log })).rejects.toThrow();
    await expect(stat(path)).rejects.toMatchObject({ code: "ENOENT" });
  });

  test("a place that a client has just left is free for the next, though both are noticed in one turn", async () => {
    await using broker = await openTestBroker({ listeners: [{ address: "127.0.0.1", port: 0, maxConnections: 1 }] });
    for (let turn = 0; turn < 20; turn++) {
      const peer = broker.dial(5).send(connectPacket({ clientId: "one at a time", version: 5 }));
      await peer.nextOf("connack");
      peer.socket.destroy();
    }
  });

  test("serves TCP and a Unix socket alike", async () => {
    const path = join(folder, "mqtt.sock");
    await using broker = await openTestBroker({ listeners: [{ address: "127.0.0.1", port: 0 }, { path }] });
    using local = new Peer({ path }, 5);
    local.send(connectPacket({ clientId: "local", version: 5 }));
    await local.nextOf("connack");
    const remote = await broker.join("remote", 4);
    await subscribe(remote, "a");
    local.send(publishPacket("a", "over"));
    expect((await remote.nextOf("publish")).payload.toString()).toBe("over");
    expect((await stat(path)).mode & 0o777).toBe(0o660);
  });

  test("takes over the socket file of a broker that died", async () => {
    const path = join(folder, "mqtt.sock");
    const dead = createServer().listen(path);
    await new Promise((resolve) => dead.once("listening", resolve));
    dead.unref();
    execFileSync("cp", ["-a", path, `${path}.copy`]);
    await new Promise((resolve) => dead.close(resolve));
    execFileSync("mv", [`${path}.copy`, path]);
    await using broker = await openTestBroker({ listeners: [{ path }] });
    expect(broker.broker.addresses).toEqual([{ path }]);
  });

  test("leaves alone what is no socket", async () => {
    const path = join(folder, "notes");
    await writeFile(path, "precious");
    await expect(openTestBroker({ listeners: [{ path }] })).rejects.toMatchObject({ code: "CONFIG_INVALID" });
    expect(await readFile(path, "utf8")).toBe("precious");
  });

  test("does not take the socket file of one that lives", async () => {
    const path = join(folder, "mqtt.sock");
    await using _first = await openTestBroker({ listeners: [{ path }] });
    await expect(openTestBroker({ listeners: [{ path }] })).rejects.toMatchObject({ code: "ADDRESS_IN_USE" });
  });

  test("gives whoever uses a private socket its identity", async () => {
    const path = join(folder, "mqtt.sock");
    const seen: unknown[] = [];
    await using _broker = await openTestBroker({
      listeners: [{ path, identity: "gateway" }],
      authenticate: () => ({ refused: 0x86 }),
      authorise: (who) => seen.push(who) > 0,
    });
    using peer = new Peer({ path }, 5);
    peer.send(connectPacket({ clientId: "uplink", version: 5, username: "somebody" }));
    await peer.nextOf("connack");
    peer.send(publishPacket("a", "1", { qos: 1 }));
    await peer.nextOf("puback");
    expect(seen).toEqual([{ clientId: "uplink", username: "gateway" }]);
  });

  test.each([4, 5] as const)("lets nobody else take over a session of its identity (version %i)", async (version) => {
    const path = join(folder, "mqtt.sock");
    const listeners = [
      { address: "127.0.0.1", port: 0 },
      { path, identity: "gateway" },
    ];
    await using broker = await openTestBroker({ listeners });
    const stays = { cleanStart: false, properties: { sessionExpiryInterval: 100 } };
    const joinPrivately = async (): Promise<{ peer: Peer; sessionPresent: boolean }> => {
      const peer = new Peer({ path }, 5).send(connectPacket({ clientId: "uplink", version: 5, ...stays }));
      return { peer, sessionPresent: (await peer.nextOf("connack")).sessionPresent };
    };
    // Whoever was there before is put out, and leaves nothing behind.
    const squatter = await broker.join("uplink", 5, { username: "gateway", ...stays });
    await subscribe(squatter, "#");
    const first = await joinPrivately();
    expect(first.sessionPresent).toBe(false);
    expect(await squatter.nextOf("disconnect")).toMatchObject({ reason: 0x8e });
    for (const isThere of [true, false]) {
      const thief = broker.dial(version).send(connectPacket({ clientId: "uplink", version, username: "gateway" }));
      expect((await thief.nextOf("connack")).reason).toBe(version === 5 ? 0x85 : 2);
      if (!isThere) continue;
      expect(await first.peer.untilPong()).toEqual([]);
      first.peer[Symbol.dispose]();
      await expect.poll(() => broker.broker.stats().clients).toBe(0);
    }
    const again = await joinPrivately();
    expect(again.sessionPresent).toBe(true);
    again.peer[Symbol.dispose]();
  });

  test("closes connections past the limit of an address, and takes new ones when others have gone", async () => {
    await using broker = await openTestBroker({ limits: { connectionsPerAddress: 1 } });
    const first = await broker.join("first", 5);
    expect((await broker.dial().untilClosed()).length).toBe(0);
    first.send({ type: "disconnect", reason: 0, properties: {} });
    await first.untilClosed();
    await expect
      .poll(() =>
        broker.join("second", 5).then(
          () => "in",
          () => "out",
        ),
      )
      .toBe("in");
  });

  test("takes no more connections than its own limit", async () => {
    await using broker = await openTestBroker({
      listeners: [
        { address: "127.0.0.1", port: 0, maxConnections: 1 },
        { address: "127.0.0.1", port: 0 },
      ],
    });
    await broker.join("first", 5);
    expect((await broker.dial().untilClosed()).length).toBe(0);
    const [, roomy] = broker.broker.addresses as readonly { port: number }[];
    using other = new Peer({ host: "127.0.0.1", port: roomy?.port ?? 0 }, 5);
    other.send(connectPacket({ clientId: "other", version: 5 }));
    expect((await other.nextOf("connack")).reason).toBe(0);
  });
});

describe("a listener with a highest QoS", () => {
  const open = () => openTestBroker({ listeners: [{ address: "127.0.0.1", port: 0, maxQos: 1 }] });

  test("[MQTT-3.2.2-9] [MQTT-3.2.2-10] says so, and grants subscriptions no more", async () => {
    await using broker = await open();
    const { peer, connack } = await broker.accepted(connectPacket({ version: 5 }));
    expect(connack.properties.maximumQos).toBe(1);
    expect(await subscribe(peer, "a", { qos: 2 })).toEqual([1]);
    const older = await broker.join("older", 4);
    expect(await subscribe(older, "a", { qos: 2 })).toEqual([1]);
  });

  test("[MQTT-3.2.2-11] disconnects who publishes above it", async () => {
    await using broker = await open();
    const peer = await broker.join("c", 5);
    peer.send(publishPacket("a", "x", { qos: 1 }));
    expect(await peer.nextOf("puback")).toBeDefined();
    peer.send(publishPacket("a", "x", { qos: 2 }));
    expect(await peer.nextOf("disconnect")).toMatchObject({ reason: 0x9b });
  });

  test("[MQTT-3.2.2-12] refuses wills above it", async () => {
    await using broker = await open();
    const will = { topic: "w", payload: Buffer.from("x"), qos: 2, retain: false, properties: {} } as const;
    const peer = broker.dial(5).send(connectPacket({ version: 5, will }));
    expect((await peer.nextOf("connack")).reason).toBe(0x9b);
  });
});
