import { isIP } from "node:net";

/**
 * May a page of this origin connect? A client that is no browser sends none. Without a list: pages of the same host.
 * Unencrypted, the host must then have a name that nobody can register, because a page on the internet can make its own
 * name point here (DNS rebinding) and would then be of the same host.
 */
export function isOriginAllowed(
  origin: string | undefined,
  host: string | undefined,
  allowed: readonly string[] | undefined,
  encrypted: boolean,
): boolean {
  if (origin === undefined) return true;
  if (allowed !== undefined) return allowed.some((one) => one.toLowerCase() === origin.toLowerCase());
  const page = hostOf(origin);
  return page !== undefined && page === hostOf(`http://${host ?? ""}`) && (encrypted || isLocalName(page));
}

function hostOf(url: string): string | undefined {
  return URL.canParse(url) ? new URL(url).hostname.replace(/^\[|\]$/g, "") || undefined : undefined;
}

function isLocalName(host: string): boolean {
  return isIP(host) !== 0 || !host.includes(".") || /\.(local|localhost|lan|home|internal|home\.arpa)$/.test(host);
}
