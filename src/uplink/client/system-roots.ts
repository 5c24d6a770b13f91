import { readFileSync } from "node:fs";

/** Where Debian's update-ca-certificates puts everything that this machine trusts. */
const BUNDLE = "/etc/ssl/certs/ca-certificates.crt";

let known: { readonly pem: string | undefined } | undefined;

/**
 * The authorities that the system trusts, with those that its administrator added: Node brings a list of its own and
 * does not look there. Undefined where there is no such file; then Node's list counts.
 */
export function systemRoots(): string | undefined {
  known ??= { pem: read() };
  return known.pem;
}

function read(): string | undefined {
  try {
    return readFileSync(BUNDLE, "utf8");
  } catch {
    return undefined;
  }
}
