import { execFileSync } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createAuthority, issueClient, issueServer, renew, revoke } from "../../src/pki/authority.ts";
import { runCommand } from "../support/gateway.ts";

let folder: string;
const file = (name: string) => join(folder, name);
const certificate = (name: string) => new X509Certificate(readFileSync(file(`${name}.pem`)));
const DAY_MS = 86_400_000;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "pki-"));
  await createAuthority(folder);
});
afterEach(() => rmSync(folder, { recursive: true }));

function isTrusted(name: string, purpose: "sslserver" | "sslclient"): boolean {
  const revocations = ["-crl_check", "-CRLfile", file("crl.pem")];
  try {
    execFileSync(
      "openssl",
      ["verify", "-CAfile", file("ca.pem"), ...revocations, "-purpose", purpose, file(`${name}.pem`)],
      { stdio: "pipe" },
    );
    return true;
  } catch {
    return false;
  }
}

describe("an authority", () => {
  test("issues to servers by names and addresses, and to clients by a name", async () => {
    await issueServer(folder, ["pi.local", "pi", "192.168.1.5", "fd00::5"]);
    const issued = await issueClient(folder, "alice");
    expect(issued.expiresAtMs - Date.now()).toBeGreaterThan(824 * DAY_MS);
    const server = certificate("server");
    expect([server.checkHost("pi.local"), server.checkIP("192.168.1.5"), server.checkIP("fd00::5")]).not.toContain(
      undefined,
    );
    expect(server.checkHost("other.local")).toBeUndefined();
    expect(certificate("alice").subject).toBe("CN=alice");
    expect([isTrusted("server", "sslserver"), isTrusted("alice", "sslclient")]).toEqual([true, true]);
    expect([isTrusted("server", "sslclient"), isTrusted("alice", "sslserver")]).toEqual([false, false]);
  });

  test("keeps keys from others", async () => {
    await issueServer(folder, ["pi"]);
    await issueClient(folder, "alice");
    for (const name of ["ca.key", "server.key", "alice.key"]) expect(statSync(file(name)).mode & 0o007).toBe(0);
    for (const name of ["ca.key", "alice.key"]) expect(statSync(file(name)).mode & 0o077).toBe(0);
  });

  test("renews what ends within 30 days, with the same key and names", async () => {
    await issueServer(folder, ["pi.local"]);
    await issueClient(folder, "alice");
    const before = certificate("server");
    expect(await renew(folder, undefined, Date.now())).toEqual([]);
    expect(await renew(folder, undefined, Date.now() + 796 * DAY_MS)).toEqual(["server", "alice"]);
    const after = certificate("server");
    expect(after.serialNumber).not.toBe(before.serialNumber);
    expect(after.publicKey.equals(before.publicKey)).toBe(true);
    expect(after.checkHost("pi.local")).toBe("pi.local");
    expect(await renew(folder, "alice", Date.now())).toEqual(["alice"]);
    expect([isTrusted("server", "sslserver"), isTrusted("alice", "sslclient")]).toEqual([true, true]);
  });

  test("revokes every certificate that a name ever had, and nobody else's; the name can then be given anew", async () => {
    await issueClient(folder, "alice");
    await issueClient(folder, "bob");
    copyFileSync(file("alice.pem"), file("first.pem"));
    await renew(folder, "alice", Date.now());
    copyFileSync(file("alice.pem"), file("second.pem"));
    await revoke(folder, "alice");
    expect(existsSync(file("alice.key"))).toBe(false);
    expect(["first", "second", "bob"].map((name) => isTrusted(name, "sslclient"))).toEqual([false, false, true]);
    await issueClient(folder, "alice");
    expect(isTrusted("alice", "sslclient")).toBe(true);
  });

  test.each([
    ["a second authority", () => createAuthority(folder), "has an authority already"],
    ["a wrong host name", () => issueServer(folder, ["pi local"]), '"pi local" is neither a host name nor an address'],
    ["a server without names", () => issueServer(folder, []), "a server needs a name or an address"],
    ["a client's name that is a path", () => issueClient(folder, "../x"), '"../x" is no name for a client'],
    ["a client's name that is an option", () => issueClient(folder, "-x"), '"-x" is no name for a client'],
    ["the server's name for a client", () => issueClient(folder, "server"), "is no name for a client"],
    ["to renew nobody", () => renew(folder, "nobody", 0), 'has no valid certificate of "nobody"'],
    ["to revoke nobody", () => revoke(folder, "nobody"), 'has no valid certificate of "nobody"'],
    ["to issue without an authority", () => issueClient(tmpdir(), "a"), "make one with `fieldpost pki init`"],
  ])("refuses %s", async (_title, ask, message) => {
    await expect(ask()).rejects.toMatchObject({ code: "PKI_FAILED", message: expect.stringContaining(message) });
  });

  test("does not issue twice to one name", async () => {
    await issueClient(folder, "alice");
    await expect(issueClient(folder, "alice")).rejects.toThrow("alice has a certificate already");
  });
});

describe("fieldpost pki", () => {
  test("goes from nothing to a revoked client", async () => {
    const pki = (...args: string[]) => runCommand(["pki", ...args, "--dir", join(folder, "own")]);
    expect(await pki("init")).toMatchObject({ code: 0, err: "" });
    const server = await pki("server", "--names", "pi.local,127.0.0.1");
    expect(server.out).toContain("for pi.local, 127.0.0.1");
    expect((await pki("client", "alice")).out).toMatch(/alice\.pem\n.*alice\.key\nends +\d{4}-\d\d-\d\d\n/);
    expect((await pki("renew")).out).toBe("nothing ends within 30 days\n");
    expect((await pki("revoke", "alice")).out).toContain("crl.pem");
    expect(await pki("revoke", "alice")).toMatchObject({ code: 2 });
    expect(await pki("client")).toMatchObject({ code: 2 });
    expect((await pki("sign")).err).toContain("the action is init, server, client, renew or revoke");
  });

  test("makes a certificate of this machine's names by itself", async () => {
    const { code } = await runCommand(["pki", "server", "--dir", folder]);
    expect(code).toBe(0);
    expect(certificate("server").checkHost("localhost")).toBe("localhost");
  });

  test("says what to install where openssl is missing", async () => {
    const result = await runCommand(["pki", "client", "alice", "--dir", folder], {
      ...process.env,
      PATH: "/nonexistent",
    });
    expect(result).toMatchObject({ code: 3 });
    expect(result.err).toContain("apt-get install openssl");
  });
});
