import { X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import type { Socket } from "node:net";
import { createSecureContext, createServer, type SecureContextOptions, type TLSSocket } from "node:tls";
import { errnoName, GatewayError, isGatewayError, messageOf } from "../../core/errors.ts";
import type { ListenerTls } from "../options.ts";
import type { Certified } from "../transport.ts";
import { idsOfChain, RevocationLists } from "./revocation.ts";

export interface TlsEvents {
  secured(socket: TLSSocket, certified: Certified | undefined): void;
  /** The handshake failed, or the certificate is not taken. */
  failed(why: string, socket: TLSSocket): void;
}

/** The TLS layer of one listener. */
export interface TlsGate {
  /** Begins the handshake; an event tells how it ended, none if the peer just went. */
  take(socket: Socket): void;
  /** When the server's own certificate ends, ms since 1970. */
  readonly expiresAtMs: number;
  /** Reads certificate, key, CA and CRL again; what it returns puts them into force for new connections. */
  prepare(): Promise<() => void>;
}

/** Throws GatewayError CONFIG_INVALID for files that are missing, wrong or do not belong together. */
export async function openTls(tls: ListenerTls, handshakeTimeoutMs: number, events: TlsEvents): Promise<TlsGate> {
  let files = await readTlsFiles(tls);
  const server = createServer({
    ...files.context,
    handshakeTimeout: handshakeTimeoutMs,
    requestCert: tls.caFile !== undefined,
    rejectUnauthorized: false, // checked below: Node ends such a connection without a word about why
  });
  server.on("secureConnection", (socket) => {
    const certified = certificateOf(socket, tls, () => files.lists);
    if (certified instanceof Refusal) {
      socket.on("error", () => {}); // it is refused already
      events.failed(certified.why, socket);
      socket.destroy(); // after the event: then its address is gone
    } else events.secured(socket, certified);
  });
  server.on("tlsClientError", (error, socket) => {
    if (errnoName(error) !== "ECONNRESET") events.failed(`TLS: ${messageOf(error)}`, socket);
  });
  return {
    // The counting of connections is done on the plain socket, before anything is spent on it.
    take: (socket) => void server.emit("connection", socket),
    get expiresAtMs() {
      return files.expiresAtMs;
    },
    async prepare() {
      const next = await readTlsFiles(tls);
      return () => {
        files = next;
        server.setSecureContext(next.context);
      };
    },
  };
}

interface TlsFiles {
  readonly context: SecureContextOptions;
  readonly expiresAtMs: number;
  readonly lists: RevocationLists | undefined;
}

async function readTlsFiles(tls: ListenerTls): Promise<TlsFiles> {
  const { certFile, keyFile, caFile, crlFile, minVersion } = tls;
  const [cert, key, ca, crl] = await Promise.all([certFile, keyFile, caFile, crlFile].map(readPem));
  const context: SecureContextOptions = {
    ...(cert && { cert }),
    ...(key && { key }),
    ...(ca && { ca }),
    minVersion: minVersion === "1.3" ? "TLSv1.3" : "TLSv1.2",
  };
  try {
    createSecureContext(context);
    const expiresAtMs = Date.parse(new X509Certificate(cert ?? "").validTo);
    return { context, expiresAtMs, lists: crl && listsOf(crl, ca, crlFile) };
  } catch (error) {
    if (isGatewayError(error)) throw error;
    throw new GatewayError("CONFIG_INVALID", `TLS with ${certFile} and ${keyFile} fails: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

function listsOf(crl: Buffer, ca: Buffer | undefined, crlFile: string | undefined): RevocationLists {
  try {
    return new RevocationLists(crl, ca ?? Buffer.alloc(0));
  } catch (error) {
    throw new GatewayError("CONFIG_INVALID", `${crlFile}: no revocation lists can be read: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

async function readPem(file: string | undefined): Promise<Buffer | undefined> {
  if (file === undefined) return undefined;
  try {
    return await readFile(file);
  } catch (error) {
    const why = errnoName(error) ?? "unknown error";
    throw new GatewayError("CONFIG_INVALID", `${file}: cannot be read (${why})`, { cause: error });
  }
}

class Refusal {
  readonly why: string;
  constructor(why: string) {
    this.why = why;
  }
}

/** A certificate is optional unless it is required; one that is given must hold. */
function certificateOf(
  socket: TLSSocket,
  tls: ListenerTls,
  lists: () => RevocationLists | undefined,
): Certified | Refusal | undefined {
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined)
    return tls.requireCertificate ? new Refusal("it does not have the certificate that is required") : undefined;
  if (!socket.authorized) return new Refusal(`its certificate is not accepted: ${socket.authorizationError}`);
  const refused = lists()?.refusal(certificate, Date.now());
  if (refused !== undefined) return new Refusal(`its certificate is not accepted: ${refused}`);
  const ids = idsOfChain(certificate);
  const isRevoked = () => lists()?.revokes(ids) ?? false;
  if (tls.subjectAsUsername) return { username: rfc2253(certificate), isRevoked };
  if (!tls.identityAsUsername) return { isRevoked };
  const names: unknown = socket.getPeerCertificate().subject.CN;
  return typeof names === "string" && names !== ""
    ? { username: names, isRevoked }
    : new Refusal("its certificate does not have one common name");
}

/** The subject as Mosquitto's `use_subject_as_username` writes it: RFC 2253, which begins with the last part. */
function rfc2253({ subject }: X509Certificate): string {
  return subject.split("\n").reverse().join(",");
}
