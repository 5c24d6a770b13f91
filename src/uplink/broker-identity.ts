import type { GatewayInfo } from "../core/gateway.ts";
import { parseAddress } from "./client/address.ts";

/**
 * Which broker this is, for the ledger: where it is, whatever protocol and user reach it there. What is retained at one
 * broker is not at another.
 */
export function brokerIdentity(url: string, { broker }: Pick<GatewayInfo, "broker">): string {
  if (broker === "bundled") return "bundled";
  const address = parseAddress(url);
  return address.scheme === "unix" ? `unix:${address.path}` : `${address.host.toLowerCase()}:${address.port}`;
}
