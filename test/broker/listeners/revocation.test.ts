import { describe, expect, test } from "vitest";
import { derChildren, derNode } from "../../../src/broker/listeners/der.ts";
import { revokedBy } from "../../../src/broker/listeners/revocation.ts";

const pem = (der: string) =>
  Buffer.from(
    `-----BEGIN X509 CRL-----\n${Buffer.from(der.replaceAll(" ", ""), "hex").toString("base64")}\n-----END X509 CRL-----\n`,
  );

// SEQUENCE { tbs SEQUENCE { algorithm SEQUENCE {}, issuer SEQUENCE {}, thisUpdate, revoked SEQUENCE { SEQUENCE { serial } } } }
const list = (issuer: string, ...serials: string[]) => {
  const wrap = (tag: string, content: string) => tag + (content.length / 2).toString(16).padStart(2, "0") + content;
  const entries = serials.map((serial) => wrap("30", wrap("02", serial))).join("");
  const revoked = serials.length > 0 ? wrap("30", entries) : "";
  return wrap("30", wrap("30", `3000${wrap("30", issuer)}${wrap("17", "31")}${revoked}`));
};

describe("a revocation list", () => {
  test("names certificates by issuer and serial number, from every list in the file", () => {
    expect(revokedBy(pem(list("0500"))).size).toBe(0);
    expect(revokedBy(pem(list("0500", "01", "02"))).size).toBe(2);
    const both = Buffer.concat([pem(list("0500", "01")), pem(list("0501", "01"))]);
    expect(revokedBy(both).size).toBe(2);
    expect(revokedBy(Buffer.concat([pem(list("0500", "01")), pem(list("0500", "01"))])).size).toBe(1);
  });

  test.each(["30", "3005", "308400000001", "3080", "3085ffffffffff"])(
    "is refused where its encoding is broken: %s",
    (hex) => {
      expect(() => derChildren(derNode(Buffer.from(hex, "hex")))).toThrow();
      expect(() => revokedBy(pem(hex))).toThrow();
    },
  );
});
