import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export type KeyKind = "rsa" | "ec" | "ed25519";

const keyArguments: Record<KeyKind, readonly string[]> = {
  rsa: ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
  ec: ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
  ed25519: ["-algorithm", "ED25519"],
};

/** A root, an authority below it, and what both certify, made and revoked by openssl in a folder. */
export class CertificateChain {
  readonly #folder: string;
  readonly #kind: KeyKind;

  constructor(folder: string, kind: KeyKind = "ec") {
    this.#folder = folder;
    this.#kind = kind;
    this.#authority("root");
    this.certify("root", "middle", true);
    this.#authority("middle");
  }

  path(name: string): string {
    return join(this.#folder, name);
  }

  read(...names: string[]): Buffer {
    return Buffer.concat(names.map((name) => readFileSync(this.path(name))));
  }

  /** NAME.pem and NAME.key. */
  certify(by: "root" | "middle", name: string, isAuthority = false): void {
    this.#key(name);
    this.#run(
      "req",
      "-new",
      "-key",
      this.path(`${name}.key`),
      "-subj",
      `/CN=${name}`,
      "-out",
      this.path(`${name}.csr`),
    );
    const extensions = isAuthority ? ["-extensions", "authority"] : [];
    this.#ca(by, "-in", this.path(`${name}.csr`), "-out", this.path(`${name}.pem`), "-notext", ...extensions);
  }

  revoke(by: "root" | "middle", name: string): void {
    this.#ca(by, "-revoke", this.path(`${name}.pem`));
  }

  /** BY.crl, for so many days from now on. */
  list(by: "root" | "middle", end: readonly string[] = ["-crldays", "30"]): Buffer {
    this.#ca(by, "-gencrl", ...end, "-out", this.path(`${by}.crl`));
    return this.read(`${by}.crl`);
  }

  #authority(name: string): void {
    writeFileSync(this.path(`${name}.index`), "");
    writeFileSync(this.path(`${name}.serial`), "1000\n");
    const digest = this.#kind === "ed25519" ? "null" : "sha256";
    const lines = [
      "[ca]",
      "default_ca = own",
      "[own]",
      `database = ${this.path(`${name}.index`)}`,
      `serial = ${this.path(`${name}.serial`)}`,
      `new_certs_dir = ${this.#folder}`,
      `certificate = ${this.path(`${name}.pem`)}`,
      `private_key = ${this.path(`${name}.key`)}`,
      `default_md = ${digest}`,
      "default_days = 30",
      "policy = any",
      "[any]",
      "commonName = supplied",
      "[authority]",
      "basicConstraints = critical,CA:true",
      "[req]",
      "distinguished_name = any",
    ];
    writeFileSync(this.path(`${name}.cnf`), `${lines.join("\n")}\n`);
    if (existsSync(this.path(`${name}.pem`))) return;
    this.#key(name);
    const self = ["-x509", "-days", "30", "-subj", `/CN=${name}`, "-addext", "basicConstraints=critical,CA:true"];
    this.#run("req", ...self, "-key", this.path(`${name}.key`), "-out", this.path(`${name}.pem`));
  }

  #key(name: string): void {
    this.#run("genpkey", ...keyArguments[this.#kind], "-out", this.path(`${name}.key`));
  }

  #ca(by: string, ...more: string[]): void {
    this.#run("ca", "-batch", "-config", this.path(`${by}.cnf`), ...more);
  }

  #run(...args: string[]): void {
    execFileSync("openssl", args, { stdio: ["ignore", "ignore", "pipe"] });
  }
}
