import { X509Certificate } from "node:crypto";
import { existsSync } from "node:fs";
import { chmod, chown, mkdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { isIP } from "node:net";
import { dirname, join } from "node:path";
import { GatewayError } from "../core/errors.ts";
import { openssl } from "./openssl.ts";
import { AUTHORITY_DAYS, RENEW_BEFORE_DAYS, settings } from "./settings.ts";

/**
 * A small certificate authority in a directory: `ca.pem` and `ca.key`, `crl.pem`, and `NAME.pem` with `NAME.key` of
 * each one it issued. Keys are readable by their owner alone, the server's by the service too. Every function throws GatewayError: PKI_FAILED, TOOL_MISSING.
 */
export interface Issued {
  readonly certFile: string;
  readonly keyFile: string;
  readonly expiresAtMs: number;
}

export const SERVER = "server";

const ec = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];

export async function createAuthority(directory: string): Promise<void> {
  if (existsSync(join(directory, "ca.key")))
    throw new GatewayError(
      "PKI_FAILED",
      `${directory} has an authority already: a new one would end every certificate`,
    );
  await mkdir(join(directory, "issued"), { recursive: true, mode: 0o700 });
  await writeFile(join(directory, "openssl.cnf"), settings);
  await writeFile(join(directory, "index.txt"), "");
  const subject = ["-subj", "/CN=fieldpost authority", "-extensions", "authority_extensions"];
  const files = ["-keyout", "ca.key", "-out", "ca.pem", "-config", "openssl.cnf"];
  await openssl(directory, ["req", "-x509", ...ec, "-days", `${AUTHORITY_DAYS}`, ...subject, ...files]);
  await writeRevocations(directory);
  await share(directory, 0o750);
}

/** For a server that is reached by these names and addresses. */
export async function issueServer(directory: string, names: readonly string[]): Promise<Issued> {
  const wrong = names.find((name) => isIP(name) === 0 && !/^[A-Za-z0-9*_][A-Za-z0-9._-]*$/.test(name));
  if (wrong !== undefined) throw new GatewayError("PKI_FAILED", `"${wrong}" is neither a host name nor an address`);
  if (names.length === 0) throw new GatewayError("PKI_FAILED", "a server needs a name or an address");
  const alternatives = names.map((name) => `${isIP(name) === 0 ? "DNS" : "IP"}:${name}`).join(",");
  const issued = await issue(directory, SERVER, "server", ["-addext", `subjectAltName=${alternatives}`]);
  await share(issued.keyFile, 0o640);
  return issued;
}

/** For a client: its name is the user name where the listener says `identity_as_username`. */
export async function issueClient(directory: string, name: string): Promise<Issued> {
  if (!/^[A-Za-z0-9_][A-Za-z0-9._-]{0,63}$/.test(name) || name === SERVER || name === "ca" || name === "crl")
    throw new GatewayError(
      "PKI_FAILED",
      `"${name}" is no name for a client: letters, digits, . _ - (server and ca are taken)`,
    );
  return issue(directory, name, "client", []);
}

async function issue(directory: string, name: string, kind: "server" | "client", extra: string[]): Promise<Issued> {
  requireAuthority(directory);
  if (existsSync(join(directory, `${name}.pem`)))
    throw new GatewayError("PKI_FAILED", `${name} has a certificate already: renew it, or revoke it first`);
  const files = ["-keyout", `${name}.key`, "-out", `${name}.csr`, "-config", "openssl.cnf"];
  await openssl(directory, ["req", "-new", ...ec, "-subj", `/CN=${name}`, ...extra, ...files]);
  return sign(directory, name, kind);
}

/** Signs `NAME.csr`, and puts the certificate in place of an older one at once. */
async function sign(directory: string, name: string, kind: "server" | "client"): Promise<Issued> {
  const files = ["-in", `${name}.csr`, "-out", `${name}.pem.new`];
  await openssl(directory, ["ca", "-batch", "-notext", "-config", "openssl.cnf", "-extensions", kind, ...files]);
  await rename(join(directory, `${name}.pem.new`), join(directory, `${name}.pem`));
  const [certFile, keyFile] = [join(directory, `${name}.pem`), join(directory, `${name}.key`)];
  return { certFile, keyFile, expiresAtMs: await expiryOf(certFile) };
}

/** With the same key, names and addresses; without a name all that end within 30 days. Returns whose were renewed. */
export async function renew(directory: string, name: string | undefined, nowMs: number): Promise<string[]> {
  requireAuthority(directory);
  const known = await holders(directory);
  if (name !== undefined && !known.includes(name)) throw unknown(directory, name);
  const renewed: string[] = [];
  for (const holder of name === undefined ? known : [name]) {
    const leftMs = (await expiryOf(join(directory, `${holder}.pem`))) - nowMs;
    if (name === undefined && leftMs > RENEW_BEFORE_DAYS * 86_400_000) continue;
    await sign(directory, holder, holder === SERVER ? "server" : "client");
    renewed.push(holder);
  }
  return renewed;
}

/** Ends every certificate that was ever issued to the name, and takes its files away. */
export async function revoke(directory: string, name: string): Promise<void> {
  requireAuthority(directory);
  const valid = (await entries(directory)).filter((entry) => entry.state === "V" && entry.name === name);
  if (valid.length === 0) throw unknown(directory, name);
  for (const { serial } of valid)
    await openssl(directory, ["ca", "-config", "openssl.cnf", "-revoke", join("issued", `${serial}.pem`)]);
  await writeRevocations(directory);
  for (const ending of ["pem", "key", "csr"]) await rm(join(directory, `${name}.${ending}`), { force: true });
}

async function writeRevocations(directory: string): Promise<void> {
  await openssl(directory, ["ca", "-config", "openssl.cnf", "-gencrl", "-out", "crl.pem.new"]);
  await rename(join(directory, "crl.pem.new"), join(directory, "crl.pem"));
}

/** Those whose newest certificate is in use. */
async function holders(directory: string): Promise<string[]> {
  const names = (await entries(directory)).filter(({ state }) => state === "V").map(({ name }) => name);
  return [...new Set(names)].filter((name) => existsSync(join(directory, `${name}.pem`)));
}

/** openssl's index: state, expiry, revocation, serial, file, subject, by tabs. */
async function entries(directory: string): Promise<{ state: string; serial: string; name: string }[]> {
  const text = await readFile(join(directory, "index.txt"), "utf8");
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => line.split("\t"))
    .map(([state = "", , , serial = "", , subject = ""]) => ({ state, serial, name: subject.replace(/^\/CN=/, "") }));
}

/** With the group of the folder it is in, which is that of the service: run by root, it would be root's alone. */
async function share(path: string, mode: number): Promise<void> {
  const { gid } = await stat(dirname(path));
  if (process.getuid?.() === 0) await chown(path, 0, gid);
  await chmod(path, process.getuid?.() === 0 ? mode : mode & 0o700);
}

function requireAuthority(directory: string): void {
  if (!existsSync(join(directory, "ca.key")))
    throw new GatewayError("PKI_FAILED", `there is no authority in ${directory}: make one with \`fieldpost pki init\``);
}

function unknown(directory: string, name: string): GatewayError {
  return new GatewayError("PKI_FAILED", `${directory} has no valid certificate of "${name}"`);
}

async function expiryOf(certFile: string): Promise<number> {
  return Date.parse(new X509Certificate(await readFile(certFile)).validTo);
}
