import { createHash, type KeyObject, verify, X509Certificate } from "node:crypto";
import { type DerNode, derChildren, derNode } from "./der.ts";

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
  const { issuer, serial } = namesIn(der);
  return idFrom(issuer, serial);
}

interface Names {
  readonly serial: Buffer | undefined;
  readonly issuer: Buffer | undefined;
  readonly subject: Buffer | undefined;
}

function namesIn(der: Buffer): Names {
  const [tbs] = derChildren(derNode(der));
  // The version, tagged [0], is left out where it is 1.
  const [serial, , issuer, , subject] = derChildren(tbs).filter(({ tag }) => tag !== 0xa0);
  return { serial: serial?.content, issuer: issuer?.bytes, subject: subject?.bytes };
}

function idFrom(issuer: Buffer | undefined, serial: Buffer | undefined): CertificateId {
  if (issuer === undefined || serial === undefined) throw new Error("no issuer or no serial number");
  return createHash("sha256").update(issuer).update(serial).digest("base64");
}

/** A certificate revocation list (RFC 5280, 5.1). */
interface RevocationList {
  /** The authority's name, as it is encoded. */
  readonly issuer: Buffer;
  /** It may say no more about who is revoked after this, ms since 1970. */
  readonly untilMs: number;
  readonly revoked: ReadonlySet<CertificateId>;
  isSignedWith(key: KeyObject): boolean;
}

const pemBlocks = /-----BEGIN (X509 CRL|CERTIFICATE)-----([A-Za-z0-9+/=\s]+)-----END \1-----/g;

function blocksIn(pem: Buffer, kind: "X509 CRL" | "CERTIFICATE"): Buffer[] {
  return [...pem.toString("latin1").matchAll(pemBlocks)].flatMap(([, name, base64 = ""]) =>
    name === kind ? [Buffer.from(base64, "base64")] : [],
  );
}

/** Authorities that certify each other would have no end. */
const deepestChain = 20;

/**
 * What the lists of a file say of client certificates. TLS itself wants a list of every authority up to the root as soon
 * as it has one, which hardly anybody keeps; here the client's own authority must have one, and those above it may.
 */
export class RevocationLists {
  readonly #lists: readonly RevocationList[];
  readonly #authorities: readonly X509Certificate[];
  readonly #genuine = new Set<RevocationList>();

  /** The lists, and the authorities that are known here. Throws Error for what is no list. */
  constructor(pem: Buffer, authorities: Buffer) {
    this.#lists = blocksIn(pem, "X509 CRL").map(readList);
    if (this.#lists.length === 0) throw new Error("there is no list in it (-----BEGIN X509 CRL-----)");
    this.#authorities = blocksIn(authorities, "CERTIFICATE").map((der) => new X509Certificate(der));
  }

  /** Of one of these certificates, by any list. */
  revokes(ids: readonly CertificateId[]): boolean {
    return this.#lists.some(({ revoked }) => ids.some((id) => revoked.has(id)));
  }

  /** Why a certificate that is otherwise good is not to be let in. */
  refusal(certificate: X509Certificate, nowMs: number): string | undefined {
    let at: X509Certificate | undefined = certificate;
    for (let depth = 0; at !== undefined && depth < deepestChain; depth++) {
      const { issuer, subject } = namesIn(at.raw);
      if (issuer === undefined || subject?.equals(issuer)) return undefined; // a root
      const refused = this.#refusalBy(issuer, at, at === certificate, nowMs);
      if (refused !== undefined) return refused;
      at = at.issuerCertificate ?? this.#authoritiesOf(issuer)[0];
    }
    return undefined;
  }

  #refusalBy(issuer: Buffer, of: X509Certificate, isOwn: boolean, nowMs: number): string | undefined {
    const lists = this.#lists.filter((list) => list.issuer.equals(issuer));
    if (lists.length === 0) return isOwn ? "there is no revocation list of its authority" : undefined;
    const id = idOf(of.raw);
    if (lists.some(({ revoked }) => revoked.has(id))) return isOwn ? "it is revoked" : "its authority is revoked";
    const keys = [of.issuerCertificate, ...this.#authoritiesOf(issuer)].flatMap((one) => one?.publicKey ?? []);
    const genuine = lists.filter((list) => this.#isGenuine(list, keys));
    if (genuine.length === 0) return "the revocation list of its authority is not signed by it";
    if (genuine.every(({ untilMs }) => untilMs < nowMs)) return "the revocation list of its authority is out of date";
    return undefined;
  }

  #authoritiesOf(name: Buffer): X509Certificate[] {
    return this.#authorities.filter(({ raw }) => namesIn(raw).subject?.equals(name));
  }

  /** Once it is known it stays so: a resumed TLS session does not bring the chain again. */
  #isGenuine(list: RevocationList, keys: readonly KeyObject[]): boolean {
    if (!this.#genuine.has(list) && keys.some((key) => list.isSignedWith(key))) this.#genuine.add(list);
    return this.#genuine.has(list);
  }
}

const TIME_TAGS = new Set([0x17, 0x18]);

function readList(der: Buffer): RevocationList {
  const [tbs, algorithm, signature] = derChildren(derNode(der));
  const fields = derChildren(tbs);
  // version (optional), signature, issuer, thisUpdate, nextUpdate (optional), revokedCertificates (optional), [0] extensions
  const times = fields.flatMap(({ tag }, index) => (TIME_TAGS.has(tag) ? [index] : []));
  const issuer = fields[(times[0] ?? 0) - 1]?.bytes;
  if (tbs === undefined || issuer === undefined) throw new Error("a list without an issuer");
  const entries = fields[(times.at(-1) ?? fields.length) + 1];
  const revoked = entries?.tag === 0x30 ? derChildren(entries) : []; // nothing else is a sequence: then nothing is revoked
  const next = times.length > 1 ? fields[times[1] as number] : undefined;
  return {
    issuer,
    untilMs: next === undefined ? Number.POSITIVE_INFINITY : timeOf(next),
    revoked: new Set(revoked.map((entry) => idFrom(issuer, derChildren(entry)[0]?.content))),
    isSignedWith: (key) => isSigned(tbs.bytes, key, algorithm, signature),
  };
}

/** UTCTime or GeneralizedTime in UTC with seconds, as both must be here (RFC 5280, 5.1.2.4), ms since 1970. */
function timeOf({ tag, content }: DerNode): number {
  const text = content.toString("latin1");
  const digits = tag === 0x18 ? text : `${text < "5" ? "20" : "19"}${text}`;
  const [, year, month, day, hour, minute, second] = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(digits) ?? [];
  const ms = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  if (Number.isNaN(ms)) throw new Error(`the time ${text} in a list`);
  return ms;
}

/** By the algorithm's object identifier, in hex (RFC 4055, 5758, 8410); SHA-1 is not trusted any more. */
const hashes: Readonly<Record<string, string | null>> = {
  "2a864886f70d01010b": "sha256",
  "2a864886f70d01010c": "sha384",
  "2a864886f70d01010d": "sha512",
  "2a8648ce3d040302": "sha256",
  "2a8648ce3d040303": "sha384",
  "2a8648ce3d040304": "sha512",
  "2b6570": null,
  "2b6571": null,
};

function isSigned(
  tbs: Buffer,
  key: KeyObject,
  algorithm: DerNode | undefined,
  signature: DerNode | undefined,
): boolean {
  const hash = hashes[derChildren(algorithm)[0]?.content.toString("hex") ?? ""];
  if (hash === undefined || signature === undefined) return false;
  try {
    return verify(hash, tbs, key, signature.content.subarray(1)); // the first byte counts unused bits: none
  } catch {
    return false; // a key of another kind
  }
}
