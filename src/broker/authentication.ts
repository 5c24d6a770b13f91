import type { Client } from "./client.ts";
import type { ConnectPacket } from "./codec/packets.ts";
import { reason } from "./codec/reasons.ts";
import type { AuthResult } from "./options.ts";

/** Who it is: the listener's own identity, whoever `authenticate` says, or anyone where that is allowed. */
export async function authenticate(client: Client, connect: ConnectPacket, clientId: string): Promise<AuthResult> {
  const { listener, broker, address } = client;
  if ("path" in listener && listener.identity !== undefined) return { ok: true, username: listener.identity };
  const { authenticate: ask } = broker.options;
  const { username, password } = connect;
  const anonymousAllowed = listener.allowAnonymous ?? ask === undefined;
  if (ask === undefined || (username === undefined && anonymousAllowed))
    return anonymousAllowed
      ? { ok: true, ...(username !== undefined && { username }) }
      : { refused: reason.notAuthorized };
  return ask({
    clientId,
    address,
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
  });
}
