import { isIP } from "node:net";
import { GatewayError } from "../../core/errors.ts";
import type { ListenerOptions } from "../options.ts";

/**
 * Anyone in reach could publish and read along: beyond loopback that takes authentication, and TLS for it to be worth
 * anything. Throws GatewayError CONFIG_INVALID.
 */
export function checkExposure(options: ListenerOptions, hasAuthenticate: boolean): void {
  if ("path" in options || options.insecure || isLoopback(options.address)) return;
  const { address, passwordFile, tls, allowAnonymous } = options;
  const knowsClients = passwordFile !== undefined || tls?.requireCertificate === true || hasAuthenticate;
  if (!knowsClients || allowAnonymous === true)
    throw refusal(address, "without authentication (password_file, or tls with require_certificate)");
  if (tls === undefined) throw refusal(address, "without tls");
}

function refusal(address: string, lack: string): GatewayError {
  return new GatewayError(
    "CONFIG_INVALID",
    `the broker does not listen on ${address}: ${lack} only on loopback (127.0.0.1 or ::1), or else with insecure: true`,
  );
}

function isLoopback(address: string): boolean {
  return address === "localhost" || address === "::1" || (isIP(address) === 4 && address.startsWith("127."));
}
