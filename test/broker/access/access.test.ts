import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { hashPassword } from "../../../src/broker/access/password-hash.ts";
import { openTestBroker, subscribe, type TestBroker } from "../support/broker.ts";
import { connectPacket, Peer, publishPacket } from "../support/peer.ts";

let folder: string;
let passwordFile: string;
let aclFile: string;
const hashes = new Map<string, string>();

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "access-"));
  passwordFile = join(folder, "passwords");
  aclFile = join(folder, "acl");
  for (const user of ["alice", "bob"]) hashes.set(user, hashes.get(user) ?? (await hashPassword(user)));
  allow("alice", "bob");
  writeFileSync(aclFile, "user alice\ntopic readwrite a/#\nuser bob\ntopic read a/public/#\n");
});
afterEach(() => rmSync(folder, { recursive: true }));

const allow = (...users: string[]) =>
  writeFileSync(passwordFile, users.map((user) => `${user}:${hashes.get(user)}\n`).join(""));
const open = () => openTestBroker({ listeners: [{ address: "127.0.0.1", port: 0, passwordFile, aclFile }] });
const user = (username: string) => ({ username, password: Buffer.from(username) });

async function refusal(broker: TestBroker, version: 4 | 5, with_: object): Promise<number> {
  const peer = broker.dial(version).send(connectPacket({ version, clientId: "c", ...with_ }));
  return (await peer.nextOf("connack")).reason;
}

describe("a listener with a password file", () => {
  test("lets users in, and refuses everyone else with one answer", async () => {
    await using broker = await open();
    await broker.join("a", 5, user("alice"));
    await broker.join("b", 4, user("bob"));
    for (const who of [{}, { ...user("alice"), username: "bob" }, user("carol")]) {
      expect(await refusal(broker, 5, who)).toBe(0x87);
      expect(await refusal(broker, 4, who)).toBe(5);
    }
  });

  test("lets nobody in with an empty password or none, though a hash of it is in the file", async () => {
    writeFileSync(passwordFile, `empty:${await hashPassword("")}\n`);
    await using broker = await open();
    expect(await refusal(broker, 5, { username: "empty", password: Buffer.alloc(0) })).toBe(0x87);
    expect(await refusal(broker, 5, { username: "empty" })).toBe(0x87);
  });

  test("lets clients without a name in where it says so, but not with a wrong one", async () => {
    const listener = { address: "127.0.0.1", port: 0, passwordFile, allowAnonymous: true };
    await using broker = await openTestBroker({ listeners: [listener] });
    await broker.join("anyone", 5);
    expect(await refusal(broker, 5, user("carol"))).toBe(0x87);
  });

  test("has users of its own", async () => {
    const other = join(folder, "others");
    writeFileSync(other, `bob:${hashes.get("bob")}\n`);
    allow("alice");
    const listeners = [passwordFile, other].map((file) => ({ address: "127.0.0.1", port: 0, passwordFile: file }));
    await using broker = await openTestBroker({ listeners });
    const [, second] = broker.broker.addresses as readonly { port: number }[];
    await broker.join("a", 5, user("alice"));
    expect(await refusal(broker, 5, user("bob"))).toBe(0x87);
    using peer = new Peer({ host: "127.0.0.1", port: second?.port ?? 0 }, 5);
    peer.send(connectPacket({ version: 5, clientId: "b", ...user("bob") }));
    expect((await peer.nextOf("connack")).reason).toBe(0);
  });

  test("does not open with a wrong file, and says where it is wrong", async () => {
    writeFileSync(passwordFile, "alice\n");
    await expect(open()).rejects.toMatchObject({
      code: "CONFIG_INVALID",
      message: `${passwordFile}:1: expected NAME:HASH`,
    });
    const listeners = [{ path: join(folder, "s"), aclFile: join(folder, "none") }];
    await expect(openTestBroker({ listeners })).rejects.toThrow(`${join(folder, "none")}: cannot be read (ENOENT)`);
  });
});

describe("a listener with an ACL file", () => {
  test("takes and delivers what the rules allow", async () => {
    await using broker = await open();
    const alice = await broker.join("alice", 5, user("alice"));
    const bob = await broker.join("bob", 5, user("bob"));
    expect(await subscribe(bob, "#")).toEqual([0]);
    expect(await subscribe(bob, "b/#")).toEqual([0x87]);
    for (const topic of ["b", "a/secret", "a/public/x"]) alice.send(publishPacket(topic, topic, { qos: 1 }));
    expect([await alice.nextOf("puback"), await alice.nextOf("puback"), await alice.nextOf("puback")]).toMatchObject([
      { reason: 0x87 },
      { reason: 0x10 },
      { reason: 0 },
    ]);
    expect(await bob.untilPong()).toMatchObject([{ type: "publish", topic: "a/public/x" }]);
    expect(broker.broker.stats().dropped.denied).toBe(2);
  });

  test("gives what is retained, and publishes wills, by the same rules", async () => {
    await using broker = await open();
    const alice = await broker.join("alice", 5, user("alice"));
    for (const topic of ["a/secret", "a/public/x"]) alice.send(publishPacket(topic, "1", { retain: true }));
    await alice.untilPong();
    const will = { topic: "a/public/will", payload: Buffer.from("x"), qos: 0, retain: false, properties: {} } as const;
    const dying = await broker.join("dying", 5, { ...user("bob"), will });
    const bob = await broker.join("bob", 5, user("bob"));
    await subscribe(bob, "a/#");
    expect(await bob.untilPong()).toMatchObject([{ topic: "a/public/x" }]);
    dying.socket.destroy();
    await expect.poll(() => broker.broker.stats().clients).toBe(2);
    expect(await bob.untilPong()).toEqual([]);
  });
});

describe("reloading", () => {
  test("applies changed rules to clients that are connected", async () => {
    await using broker = await open();
    const alice = await broker.join("alice", 5, user("alice"));
    const bob = await broker.join("bob", 5, user("bob"));
    await subscribe(bob, "#");
    writeFileSync(aclFile, "user alice\ntopic write a/#\nuser bob\ntopic read a/secret\n");
    await broker.broker.reload();
    for (const topic of ["a/public/x", "a/secret"]) alice.send(publishPacket(topic, "1"));
    await alice.untilPong();
    expect(await bob.untilPong()).toMatchObject([{ topic: "a/secret" }]);
    expect(await subscribe(alice, "a/#")).toEqual([0x87]);
  });

  test("keeps back what waited for a client that may not have it any more", async () => {
    await using broker = await open();
    const alice = await broker.join("alice", 5, user("alice"));
    const lasting = { ...user("bob"), cleanStart: false, properties: { sessionExpiryInterval: 100 } };
    const bob = await broker.join("bob", 5, lasting);
    await subscribe(bob, "a/public/#", { qos: 1 });
    bob.socket.destroy();
    await expect.poll(() => broker.broker.stats().clients).toBe(1);
    for (const topic of ["a/public/x", "a/public/y"]) {
      alice.send(publishPacket(topic, topic, { qos: 1 }));
      await alice.nextOf("puback");
    }
    writeFileSync(aclFile, "user alice\ntopic write a/#\nuser bob\ntopic read a/public/y\n");
    await broker.broker.reload();
    const again = await broker.join("bob", 5, lasting);
    expect(await again.nextOf("publish")).toMatchObject({ topic: "a/public/y" });
    expect(broker.broker.stats().dropped.denied).toBe(1);
    expect(broker.broker.stats().queuedMessages).toBe(0);
  });

  test("disconnects whose user is gone or has another password, and nobody else", async () => {
    await using broker = await open();
    const alice = await broker.join("alice", 5, user("alice"));
    const bob = await broker.join("bob", 5, user("bob"));
    allow("alice");
    await broker.broker.reload();
    expect(await bob.nextOf("disconnect")).toMatchObject({ reason: 0x87 });
    expect(await refusal(broker, 5, user("bob"))).toBe(0x87);
    expect(await alice.untilPong()).toEqual([]);
    writeFileSync(passwordFile, `alice:${await hashPassword("new")}\n`);
    await broker.broker.reload();
    expect(await alice.nextOf("disconnect")).toMatchObject({ reason: 0x87 });
    expect(await refusal(broker, 5, user("alice"))).toBe(0x87);
    await broker.join("alice", 5, { username: "alice", password: Buffer.from("new") });
  });

  test("judges who comes while the files are being read by the new ones", async () => {
    await using broker = await open();
    allow("alice");
    const reloading = broker.broker.reload();
    expect(await refusal(broker, 5, user("bob"))).toBe(0x87);
    await reloading;
  });

  test("with a wrong file changes nothing", async () => {
    await using broker = await open();
    writeFileSync(passwordFile, "");
    writeFileSync(aclFile, "user alice\ntopic grant x\n");
    await expect(broker.broker.reload()).rejects.toThrow(`${aclFile}:2: expected \`read\``);
    await broker.join("alice", 5, user("alice"));
  });
});
