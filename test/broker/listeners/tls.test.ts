import { execFile } from "node:child_process";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect as connectTls, type SecureVersion } from "node:tls";
import { connectAsync, type IClientOptions, type MqttClient } from "mqtt";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { hashPassword } from "../../../src/broker/access/password-hash.ts";
import { encodePacket } from "../../../src/broker/codec/codec.ts";
import type { ListenerOptions, ListenerTls } from "../../../src/broker/options.ts";
import { createAuthority, issueClient, issueServer, renew, revoke } from "../../../src/pki/authority.ts";
import { openTestBroker, type TestBroker } from "../support/broker.ts";
import { connectPacket } from "../support/peer.ts";

let folder: string;
let tls: ListenerTls;
let pem: (name: string) => string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "tls-"));
  pem = (name) => join(folder, name);
  await createAuthority(folder);
  await issueServer(folder, ["localhost", "127.0.0.1"]);
  for (const name of ["alice", "gone"]) await issueClient(folder, name);
  copyFileSync(pem("gone.pem"), pem("revoked.pem"));
  copyFileSync(pem("gone.key"), pem("revoked.key"));
  await revoke(folder, "gone");
  tls = { certFile: pem("server.pem"), keyFile: pem("server.key") };
});
afterAll(() => rmSync(folder, { recursive: true }));

const withClients = (more: Partial<ListenerTls> = {}): ListenerTls => ({
  ...tls,
  caFile: pem("ca.pem"),
  crlFile: pem("crl.pem"),
  ...more,
});
const open = (listenerTls: ListenerTls, more: Partial<ListenerOptions> = {}) =>
  openTestBroker({ listeners: [{ address: "127.0.0.1", port: 0, tls: listenerTls, ...more } as ListenerOptions] });

function mosquittoPub(broker: TestBroker, ...args: string[]): Promise<void> {
  const to = ["-h", "localhost", "-p", `${broker.port}`, "--cafile", pem("ca.pem"), "-t", "a", "-m", "x", "-q", "1"];
  return new Promise((resolve, reject) => {
    execFile("mosquitto_pub", [...to, ...args], (error) => (error ? reject(error) : resolve()));
  });
}

const certificate = (name: string) => ["--cert", pem(`${name}.pem`), "--key", pem(`${name}.key`)];
const namesSeen = (broker: TestBroker) =>
  broker.logged.filter(({ message }) => message === "client connected").map(({ fields }) => fields?.username);

describe.each(["311", "5"])("mosquitto_pub (-V %s) over TLS", (version) => {
  test("gets in, and refuses a server of another authority", async () => {
    await using broker = await open(tls);
    await mosquittoPub(broker, "-V", version);
    await expect(
      mosquittoPub(broker, "-V", version, "--cafile", "/etc/ssl/certs/ca-certificates.crt"),
    ).rejects.toThrow();
  });

  test("is known by its certificate", async () => {
    await using broker = await open(withClients({ requireCertificate: true, identityAsUsername: true }));
    await mosquittoPub(broker, "-V", version, "-u", "somebody", ...certificate("alice"));
    expect(namesSeen(broker)).toEqual(["alice"]);
  });

  test("does not get in without a certificate where one is required, or with a revoked one", async () => {
    await using broker = await open(withClients({ requireCertificate: true }));
    await expect(mosquittoPub(broker, "-V", version)).rejects.toThrow();
    await expect(mosquittoPub(broker, "-V", version, ...certificate("revoked"))).rejects.toThrow();
    await mosquittoPub(broker, "-V", version, ...certificate("alice"));
    expect(broker.broker.stats()).toMatchObject({ connections: 1, refusedConnections: 2 });
    expect(broker.logged.filter(({ message }) => message === "connection refused")).toMatchObject([
      { fields: { reason: "it does not have the certificate that is required", address: "127.0.0.1" } },
      { fields: { reason: "its certificate is not accepted: it is revoked", address: "127.0.0.1" } },
    ]);
  });
});

describe("certificates of clients", () => {
  test("are no user names unless the listener says so: whoever has one may not choose whose rules it is under", async () => {
    await using broker = await open(withClients({ requireCertificate: true }));
    await mosquittoPub(broker, "-u", "admin", ...certificate("alice"));
    expect(namesSeen(broker)).toEqual([undefined]);
  });

  test("give the whole subject where it is asked for", async () => {
    await using broker = await open(withClients({ subjectAsUsername: true }));
    await mosquittoPub(broker, ...certificate("alice"));
    expect(namesSeen(broker)).toEqual(["CN=alice"]);
  });

  test("that are optional spare the password; without one it is asked for, and a revoked one is worse than none", async () => {
    const passwordFile = pem("passwords");
    writeFileSync(passwordFile, `bob:${await hashPassword("secret")}\n`);
    await using broker = await open(withClients({ identityAsUsername: true }), { passwordFile });
    await mosquittoPub(broker, ...certificate("alice"));
    await mosquittoPub(broker, "-u", "bob", "-P", "secret");
    await expect(mosquittoPub(broker)).rejects.toThrow();
    await expect(mosquittoPub(broker, "-u", "bob", "-P", "secret", ...certificate("revoked"))).rejects.toThrow();
    expect(namesSeen(broker)).toEqual(["alice", "bob"]);
  });
});

describe("TLS", () => {
  const join_ = (broker: TestBroker, more: IClientOptions = {}): Promise<MqttClient> =>
    connectAsync(`mqtts://localhost:${broker.port}`, { reconnectPeriod: 0, ca: [readCa()], ...more });
  const readCa = () => readFileSync(pem("ca.pem"), "utf8");

  test.each([4, 5] as const)("carries large messages for mqtt.js (protocol level %i)", async (protocolVersion) => {
    await using broker = await open(tls);
    const client = await join_(broker, { protocolVersion });
    await client.subscribeAsync("a", { qos: 1 });
    const received = new Promise<Buffer>((resolve) => client.once("message", (_topic, payload) => resolve(payload)));
    const payload = Buffer.alloc(500_000, "abc");
    await client.publishAsync("a", payload, { qos: 1 });
    expect((await received).equals(payload)).toBe(true);
    await client.endAsync();
  });

  test("takes a renewed certificate at a reload, and keeps who is connected", async () => {
    await using broker = await open(tls);
    const client = await join_(broker);
    const before = await serialAt(broker);
    await renew(folder, "server", Date.now());
    await broker.broker.reload();
    expect(await serialAt(broker)).not.toBe(before);
    await client.publishAsync("a", "still here", { qos: 1 });
    await client.endAsync();
  });

  test("takes a new revocation list at a reload", async () => {
    await issueClient(folder, "leaving");
    copyFileSync(pem("leaving.pem"), pem("left.pem"));
    copyFileSync(pem("leaving.key"), pem("left.key"));
    await using broker = await open(withClients({ requireCertificate: true }));
    await mosquittoPub(broker, ...certificate("left"));
    await revoke(folder, "leaving");
    await broker.broker.reload();
    await expect(mosquittoPub(broker, ...certificate("left"))).rejects.toThrow();
    await mosquittoPub(broker, ...certificate("alice"));
  });

  test("disconnects at a reload who holds a revoked certificate, nobody else, and no TLS session brings it back", async () => {
    for (const name of ["fired", "staying"]) {
      await issueClient(folder, name);
      for (const end of ["pem", "key"]) copyFileSync(pem(`${name}.${end}`), pem(`${name}-copy.${end}`));
    }
    await using broker = await open(withClients({ requireCertificate: true }));
    const dial = (name: string, session?: Buffer) =>
      connectTls({
        port: broker.port,
        host: "localhost",
        ca: readFileSync(pem("ca.pem")),
        cert: readFileSync(pem(`${name}-copy.pem`)),
        key: readFileSync(pem(`${name}-copy.key`)),
        maxVersion: "TLSv1.2",
        ...(session && { session }),
      });
    const joined = async (name: string, version: 4 | 5) => {
      const socket = dial(name);
      const chunks: Buffer[] = [];
      socket.on("data", (chunk: Buffer) => chunks.push(chunk)).on("error", () => {});
      const ended = new Promise<string>((resolve) =>
        socket.once("end", () => resolve(Buffer.concat(chunks.slice(1)).toString("hex"))),
      );
      socket.write(encodePacket(connectPacket({ clientId: `${name}${version}`, version }), version));
      await expect.poll(() => chunks.length).toBe(1);
      return { socket, ended };
    };
    const [old, fired, staying] = [await joined("fired", 4), await joined("fired", 5), await joined("staying", 5)];
    const ticket = fired.socket.getSession();
    await broker.broker.reload();
    expect(broker.broker.stats().clients).toBe(3);
    await revoke(folder, "fired");
    await broker.broker.reload();
    expect([await fired.ended, await old.ended]).toEqual(["e00187", ""]);
    expect(broker.broker.stats().clients).toBe(1);
    const resumed = dial("fired", ticket).on("error", () => {});
    resumed.write(encodePacket(connectPacket({ clientId: "again", version: 5 }), 5));
    await new Promise((resolve) => resumed.once("close", resolve));
    expect(broker.broker.stats()).toMatchObject({ clients: 1, refusedConnections: 1 });
    staying.socket.destroy();
  });

  test("keeps the old certificate when the new one is wrong", async () => {
    copyFileSync(pem("server.pem"), pem("own.pem"));
    await using broker = await open({ ...tls, certFile: pem("own.pem") });
    copyFileSync(pem("alice.pem"), pem("own.pem"));
    await expect(broker.broker.reload()).rejects.toMatchObject({ code: "CONFIG_INVALID" });
    await mosquittoPub(broker);
  });

  test("refuses what is older than it should be", async () => {
    await using broker = await open({ ...tls, minVersion: "1.3" });
    await expect(serialAt(broker, "TLSv1.2")).rejects.toThrow();
    expect(broker.logged).toMatchObject([
      { message: "connection refused", fields: { reason: expect.stringContaining("TLS: "), address: "127.0.0.1" } },
    ]);
    await serialAt(broker, "TLSv1.3");
  });

  test("warns each day from 30 days before its certificate ends, until it is renewed", async () => {
    let nowMs = Date.now() + (825 - 29) * 86_400_000;
    const listeners = [{ address: "127.0.0.1", port: 0, tls }];
    await using broker = await openTestBroker({ listeners }, { wallMs: () => nowMs });
    const warnings = () => broker.logged.filter(({ message }) => message.includes("certificate"));
    expect(warnings()).toMatchObject([{ fields: { days: 28, listener: `127.0.0.1:${broker.port}` } }]);
    nowMs += 29 * 86_400_000;
    broker.timers.advance(86_400_000);
    expect(warnings().map(({ message }) => message)).toEqual([
      "the certificate of a listener ends soon: renew it",
      "the certificate of a listener has ended: clients refuse it",
    ]);
    nowMs = Date.now();
    broker.timers.advance(86_400_000);
    expect(warnings()).toHaveLength(2);
  });

  test("does not open with a certificate and a key that do not belong together", async () => {
    await expect(open({ certFile: pem("server.pem"), keyFile: pem("alice.key") })).rejects.toThrow(pem("server.pem"));
    await expect(open({ certFile: pem("none.pem"), keyFile: pem("alice.key") })).rejects.toThrow(
      `${pem("none.pem")}: cannot be read (ENOENT)`,
    );
  });

  function serialAt(broker: TestBroker, maxVersion: SecureVersion = "TLSv1.3"): Promise<string> {
    return new Promise((resolve, reject) => {
      const socket = connectTls(
        { port: broker.port, host: "127.0.0.1", ca: readCa(), servername: "localhost", maxVersion },
        () => {
          resolve(socket.getPeerCertificate().serialNumber);
          socket.destroy();
        },
      );
      socket.on("error", reject);
    });
  }
});

describe("a listener beyond loopback", () => {
  const passwords = () => ({ passwordFile: pem("any"), address: "0.0.0.0" }) as const;

  test.each([
    ["passwords without TLS", () => passwords(), "without tls"],
    ["TLS without authentication", () => ({ address: "0.0.0.0", tls }), "without authentication"],
    ["anonymous clients", () => ({ ...passwords(), tls, allowAnonymous: true }), "without authentication"],
  ])("does not open with %s", async (_title, options, why) => {
    await expect(openTestBroker({ listeners: [{ port: 0, ...options() }] })).rejects.toThrow(
      `the broker does not listen on 0.0.0.0: ${why}`,
    );
  });

  test("opens with required certificates", async () => {
    await using _broker = await open(withClients({ requireCertificate: true }), { address: "0.0.0.0" });
  });

  test("opens with neither where it says that it is insecure", async () => {
    await using broker = await openTestBroker({ listeners: [{ address: "0.0.0.0", port: 0, insecure: true }] });
    await broker.join("anyone", 5);
  });
});
