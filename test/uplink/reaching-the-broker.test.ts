import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer as createHttpServer, type Server } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import { type AddressInfo, connect as connectTcp } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createWebSocketStream, WebSocketServer } from "ws";
import type { Clock } from "../../src/core/clock.ts";
import { startMosquitto, waitFor } from "../support/mosquitto.ts";
import { type Bench, bench, syncedClock } from "./bench.ts";

let directory: string;
const file = (name: string) => join(directory, name);
const pem = (name: string) => readFileSync(file(name), "utf8");

/** An authority, a server's certificate for `right.test` and 127.0.0.1, one for another name, and a client's. */
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "uplink-tls-"));
  const openssl = (...args: string[]) => execFileSync("openssl", args, { cwd: directory, stdio: "pipe" });
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  openssl("req", "-x509", ...key, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=Test CA", "-days", "2");
  const issue = (name: string, names: string) => {
    writeFileSync(file(`${name}.ext`), `subjectAltName=${names}\n`);
    openssl("req", ...key, "-keyout", `${name}.key`, "-out", `${name}.csr`, "-subj", `/CN=${name}`);
    const signed = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", `${name}.ext`];
    openssl("x509", "-req", "-in", `${name}.csr`, ...signed, "-out", `${name}.pem`);
  };
  issue("server", "DNS:localhost,IP:127.0.0.1");
  issue("elsewhere", "DNS:elsewhere.test");
  issue("client", "DNS:client.test");
  const dates = ["-startdate", "20480101000000Z", "-enddate", "20490101000000Z"];
  writeFileSync(file("ca.cnf"), AUTHORITY);
  writeFileSync(file("index.txt"), "");
  openssl("req", ...key, "-keyout", "tomorrow.key", "-out", "tomorrow.csr", "-subj", "/CN=localhost");
  openssl("ca", "-batch", "-config", "ca.cnf", "-in", "tomorrow.csr", "-out", "tomorrow.pem", "-notext", ...dates);
});

/** `openssl x509` of Debian's version cannot say when a certificate begins; `openssl ca` can. */
const AUTHORITY = `
[ca]
default_ca = own
[own]
database = index.txt
rand_serial = yes
certificate = ca.pem
private_key = ca.key
new_certs_dir = .
default_md = sha256
policy = any
[any]
commonName = supplied
`;

afterAll(() => rmSync(directory, { recursive: true, force: true }));

const tlsListener = (name: string) => [
  `cafile ${file("ca.pem")}`,
  `certfile ${file(`${name}.pem`)}`,
  `keyfile ${file(`${name}.key`)}`,
];

/** Debian's mosquitto cannot bind web sockets to one address, so they end here and go on to it over TCP. */
async function webSocketFront(server: Server, brokerPort: number) {
  const sockets = new WebSocketServer({ server, path: "/mqtt" });
  sockets.on("connection", (webSocket) => {
    const stream = createWebSocketStream(webSocket);
    const onward = connectTcp(brokerPort, "127.0.0.1");
    stream.on("error", () => onward.destroy());
    onward.on("error", () => stream.destroy());
    stream.pipe(onward).pipe(stream);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      for (const webSocket of sockets.clients) webSocket.terminate();
      server.close();
      await once(server, "close");
    },
  };
}

async function delivers(one: Bench): Promise<void> {
  one.sample("d1", 1);
  await waitFor(() => one.store.counters().delivered === 1);
}

async function fails(one: Bench, code: string): Promise<void> {
  await waitFor(() => one.uplink.linkState().lastError !== undefined);
  expect(one.uplink.linkState()).toMatchObject({ connected: false, lastError: { code } });
  expect(one.uplink.faults()).toMatchObject([{ code }]);
}

describe("over TLS", () => {
  test("a broker with a certificate of the given authority and the right name is trusted", async () => {
    await using broker = await startMosquitto({ listener: tlsListener("server") });
    await using one = bench({ urls: [`mqtts://localhost:${broker.port}`], tls: { ca: pem("ca.pem") } });
    await delivers(one);
  });

  test("a certificate that is not valid yet is tried again, for it may be our clock, and says so", async () => {
    await using broker = await startMosquitto({ listener: tlsListener("tomorrow") });
    const clock: Clock = { ...syncedClock(), syncState: () => "unsynced" };
    await using one = bench({ urls: [`mqtts://localhost:${broker.port}`], tls: { ca: pem("ca.pem") } }, { clock });
    await waitFor(() => one.uplink.linkState().attempts > 2);
    const { lastError } = one.uplink.linkState();
    expect(lastError?.code).toBe("BROKER_TLS");
    expect(lastError?.message).toContain("not yet valid");
    expect(lastError?.message).toMatch(/this machine's clock says 20.*and is not set yet/);
  });

  test("a certificate for another name is refused", async () => {
    await using broker = await startMosquitto({ listener: tlsListener("elsewhere") });
    await using one = bench({ urls: [`mqtts://localhost:${broker.port}`], tls: { ca: pem("ca.pem") } });
    await fails(one, "BROKER_TLS");
  });

  test("a certificate of an authority that the system does not know is refused", async () => {
    await using broker = await startMosquitto({ listener: tlsListener("server") });
    await using one = bench({ urls: [`mqtts://127.0.0.1:${broker.port}`] });
    await fails(one, "BROKER_TLS");
  });

  test("a client's certificate lets us in, and without it we stay out", async () => {
    const listener = [...tlsListener("server"), "require_certificate true", "use_identity_as_username true"];
    await using broker = await startMosquitto({ listener });
    const urls = [`mqtts://localhost:${broker.port}`];
    const tls = { ca: pem("ca.pem"), cert: pem("client.pem"), key: pem("client.key") };
    await using one = bench({ urls, tls });
    await delivers(one);
    expect(broker.log()).toMatch(/u'client'/);
    await using stranger = bench({ urls, clientId: "stranger", tls: { ca: pem("ca.pem") } });
    await waitFor(() => stranger.uplink.linkState().attempts >= 2);
    expect(stranger.uplink.linkState().connected).toBe(false);
  });

  test.each([
    ["garbage", { cert: "garbage", key: "garbage" }],
    ["of two pairs", { cert: "client.pem", key: "server.key" }],
  ])("a certificate and key that are %s are a fault, and not the end of the gateway", async (_what, { cert, key }) => {
    const content = (name: string) => (name === "garbage" ? name : pem(name));
    await using one = bench({ urls: ["mqtts://127.0.0.1:1"], tls: { cert: content(cert), key: content(key) } });
    await fails(one, "BROKER_TLS");
  });

  test("a web socket over TLS is verified like any other", async () => {
    await using broker = await startMosquitto();
    await using front = await webSocketFront(
      createHttpsServer({ cert: pem("server.pem"), key: pem("server.key") }),
      broker.port,
    );
    const urls = [`wss://localhost:${front.port}/mqtt`];
    await using one = bench({ urls, tls: { ca: pem("ca.pem") } });
    await delivers(one);
    await using doubter = bench({ urls, clientId: "doubter" });
    await fails(doubter, "BROKER_TLS");
  });
});

describe("with a name and a password", () => {
  const passwords = { ann: "geheim" };

  test("the right ones are let in, from the options or from the address, and never shown", async () => {
    await using broker = await startMosquitto({ passwords });
    const password = { reveal: () => "geheim" };
    await using one = bench({ urls: [broker.url], username: "ann", password });
    await delivers(one);
    await using other = bench({ urls: [`mqtt://ann:geheim@127.0.0.1:${broker.port}`], clientId: "other" });
    await waitFor(() => other.uplink.linkState().connected);
    expect(JSON.stringify([other.uplink.linkState(), other.log.lines, one.log.lines])).not.toContain("geheim");
  });

  test("wrong ones are a fault, told once, and tried again slowly", async () => {
    await using broker = await startMosquitto({ passwords });
    await using one = bench({ urls: [broker.url], username: "ann", password: "falsch" });
    await fails(one, "BROKER_REFUSED");
    await waitFor(() => one.uplink.linkState().attempts >= 4);
    expect(one.log.lines.filter(({ message }) => message === "the broker cannot be reached")).toHaveLength(1);
    expect(JSON.stringify(one.log.lines)).not.toContain("falsch");
  });
});

test("a web socket without TLS works too", async () => {
  await using broker = await startMosquitto();
  await using front = await webSocketFront(createHttpServer(), broker.port);
  await using one = bench({ urls: [`ws://127.0.0.1:${front.port}/mqtt`] });
  await delivers(one);
});

test("a web server that knows no web socket there is told apart", async () => {
  await using broker = await startMosquitto();
  await using front = await webSocketFront(createHttpServer(), broker.port);
  await using one = bench({ urls: [`ws://127.0.0.1:${front.port}/elsewhere`] });
  await fails(one, "BROKER_UNREACHABLE");
  expect(one.uplink.linkState().lastError?.message).toContain("400");
});

test("a Unix socket reaches a broker that listens nowhere else", async () => {
  const path = join(directory, "broker.sock");
  await using _broker = await startMosquitto({ listener: [`listener 0 ${path}`] });
  await using one = bench({ urls: [`unix:${path}`] });
  await delivers(one);
  expect(one.uplink.linkState().url).toBe(`unix:${path}`);
});
