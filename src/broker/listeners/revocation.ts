import { createHash, type X509Certificate } from "node:crypto";
import { derChildren, derNode } from "./der.ts";

/** A certificate as its authority knows it: issuer and serial number (RFC 5280, 4.1.2.2). */
export type CertificateId = string;

/** The certificate and those it descends from, as far as the client sent them or we know them. */
export function idsOfChain(certificate: X509Certificate): CertificateId[] {
  const ids: CertificateId[] = [];
  for (let at: X509Certificate | undefined = certificate; at !== undefined; at = at.issuerCertificate) {
    const id = idOf(at.raw);
    if (ids.includes(id)) break; // a root is its own issuer
    ids.push(id);
  }
  return ids;
}

function idOf(der: Buffer): CertificateId {
  const [tbs] = derChildren(derNode(der));
  // The version, tagged [0], is left out where it is 1.
  const fields = derChildren(tbs).filter(({ tag }) => tag !== 0xa0);
  const [serial, , issuer] = fields;
  return idFrom(issuer?.bytes, serial?.content);
}

function idFrom(issuer: Buffer | undefined, serial: Buffer | undefined): CertificateId {
  if (issuer === undefined || serial === undefined) throw new Error("no issuer or no serial number");
  return createHash("sha256").update(issuer).update(serial).digest("base64");
}

const pemBlocks = /-----BEGIN X509 CRL-----([A-Za-z0-9+/=\s]+)-----END X509 CRL-----/g;
const TIME_TAGS = new Set([0x17, 0x18]);

/** What the lists in a PEM file revoke (RFC 5280, 5.1). Throws Error for what is none. */
export function revokedBy(pem: Buffer): ReadonlySet<CertificateId> {
  const revoked = new Set<CertificateId>();
  for (const [, base64 = ""] of pem.toString("latin1").matchAll(pemBlocks)) {
    const [tbs] = derChildren(derNode(Buffer.from(base64, "base64")));
    const fields = derChildren(tbs);
    // version (optional), signature, issuer, thisUpdate, nextUpdate (optional), revokedCertificates (optional), [0] extensions
    const times = fields.flatMap(({ tag }, index) => (TIME_TAGS.has(tag) ? [index] : []));
    const issuer = fields[(times[0] ?? 0) - 1];
    const list = fields[(times.at(-1) ?? fields.length) + 1];
    if (list?.tag !== 0x30) continue; // nothing is revoked
    for (const entry of derChildren(list)) revoked.add(idFrom(issuer?.bytes, derChildren(entry)[0]?.content));
  }
  return revoked;
}
