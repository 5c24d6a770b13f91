import { execFile } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { derChildren, derNode } from "../../../src/broker/listeners/der.ts";
import { RevocationLists } from "../../../src/broker/listeners/revocation.ts";
import { createAuthority, issueServer } from "../../../src/pki/authority.ts";
import { openTestBroker } from "../support/broker.ts";
import { CertificateChain, type KeyKind } from "./chain.ts";

let folder: string;
let chain: CertificateChain;
const folderOf = (name: string) => {
  const path = join(folder, name);
  mkdirSync(path);
  return path;
};

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "revocation-"));
  chain = new CertificateChain(folderOf("chain"));
  for (const name of ["good", "gone"]) chain.certify("middle", name);
  chain.revoke("middle", "gone");
});
afterAll(() => rmSync(folder, { recursive: true }));

const certificate = (name: string, from = chain) => new X509Certificate(from.read(`${name}.pem`));
const authorities = (from = chain) => from.read("root.pem", "middle.pem");
const refusal = (name: string, lists: Buffer, atMs = Date.now()) =>
  new RevocationLists(lists, authorities()).refusal(certificate(name), atMs);

describe("revocation lists", () => {
  test.each<KeyKind>(["rsa", "ec", "ed25519"])("of the client's own authority are enough, signed with %s", (kind) => {
    const signed = new CertificateChain(folderOf(kind), kind);
    for (const name of ["good", "gone"]) signed.certify("middle", name);
    const before = new RevocationLists(signed.list("middle"), authorities(signed));
    expect(before.refusal(certificate("gone", signed), Date.now())).toBeUndefined();
    signed.revoke("middle", "gone");
    const lists = new RevocationLists(signed.list("middle"), authorities(signed));
    expect(lists.refusal(certificate("good", signed), Date.now())).toBeUndefined();
    expect(lists.refusal(certificate("gone", signed), Date.now())).toBe("it is revoked");
  });

  test("must be of the client's own authority, which signed them", () => {
    expect(refusal("good", chain.list("root"))).toBe("there is no revocation list of its authority");
    const impostor = new CertificateChain(folderOf("impostor"));
    expect(refusal("good", impostor.list("middle"))).toBe("the revocation list of its authority is not signed by it");
    expect(refusal("good", Buffer.concat([impostor.list("middle"), chain.list("middle")]))).toBeUndefined();
  });

  test("are good until they say so", () => {
    const list = chain.list("middle", ["-crlhours", "2"]);
    expect(refusal("good", list, Date.now() + 3_600_000)).toBeUndefined();
    expect(refusal("good", list, Date.now() + 3 * 3_600_000)).toBe(
      "the revocation list of its authority is out of date",
    );
  });

  test("of the root revoke what the authority below it certified", () => {
    const other = new CertificateChain(folderOf("other"));
    other.certify("middle", "client");
    const both = () => Buffer.concat([other.list("middle"), other.list("root")]);
    const asked = () =>
      new RevocationLists(both(), authorities(other)).refusal(certificate("client", other), Date.now());
    expect(asked()).toBeUndefined();
    other.revoke("root", "middle");
    expect(asked()).toBe("its authority is revoked");
  });

  test("let in and keep out mosquitto_pub with certificates of an authority below the root", async () => {
    const server = folderOf("server");
    await createAuthority(server);
    await issueServer(server, ["localhost"]);
    const [caFile, crlFile] = [chain.path("all.pem"), chain.path("all.crl")];
    writeFileSync(caFile, authorities());
    writeFileSync(crlFile, chain.list("middle"));
    const [certFile, keyFile] = [join(server, "server.pem"), join(server, "server.key")];
    const tls = { certFile, keyFile, caFile, crlFile, requireCertificate: true };
    await using broker = await openTestBroker({ listeners: [{ address: "127.0.0.1", port: 0, tls }] });
    const publish = (name: string) => {
      const own = ["--cert", chain.path(`${name}.pem`), "--key", chain.path(`${name}.key`)];
      const to = ["-h", "localhost", "-p", `${broker.port}`, "--cafile", join(server, "ca.pem"), "-q", "1"];
      return promisify(execFile)("mosquitto_pub", [...to, ...own, "-t", "a", "-m", "x"]);
    };
    await publish("good");
    await expect(publish("gone")).rejects.toThrow();
    const refused = broker.logged.filter(({ message }) => message === "connection refused");
    expect(refused).toMatchObject([{ fields: { reason: "its certificate is not accepted: it is revoked" } }]);
  });

  test.each(["30", "3005", "308400000001", "3080", "3085ffffffffff", "3000", "30023000"])(
    "are refused where their encoding is broken: %s",
    (hex) => {
      const base64 = Buffer.from(hex, "hex").toString("base64");
      const pem = Buffer.from(`-----BEGIN X509 CRL-----\n${base64}\n-----END X509 CRL-----\n`);
      expect(() => new RevocationLists(pem, Buffer.alloc(0))).toThrow();
    },
  );

  test("are refused where there is none in the file, and DER that ends too early is not read", () => {
    expect(() => new RevocationLists(Buffer.from("nothing"), Buffer.alloc(0))).toThrow("no list in it");
    expect(() => derChildren(derNode(Buffer.from("3005", "hex")))).toThrow("ends in the middle");
  });
});
