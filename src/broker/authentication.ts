import type { Client } from "./client.ts";
import type { ConnectPacket } from "./codec/packets.ts";
import { reason } from "./codec/reasons.ts";
import type { AuthResult, ConnectInfo, ListenerOptions } from "./options.ts";

/** Who it is: the listener's own identity, the name in its certificate, a user of its password file, whoever `authenticate` says, or anyone where that is allowed. */
export async function authenticate(client: Client, connect: ConnectPacket, clientId: string): Promise<AuthResult> {
  const { listener, address } = client;
  if ("path" in listener && listener.identity !== undefined) return { ok: true, username: listener.identity };
  if (client.certified?.username !== undefined) return { ok: true, username: client.certified.username };
  // Whatever name it gives itself, the certificate does not vouch for it.
  if (listener.tls?.requireCertificate && listener.passwordFile === undefined) return { ok: true };
  const { username, password } = connect;
  const ask = questionOf(client);
  const anonymousAllowed = listener.allowAnonymous ?? ask === undefined;
  if (ask === undefined || (username === undefined && anonymousAllowed))
    return anonymousAllowed
      ? { ok: true, ...(username !== undefined && { username }) }
      : { refused: refusalWithout(listener) };
  return ask({
    clientId,
    address,
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
  });
}

/** Where the certificate says who it is, none is like no user name. */
function refusalWithout({ tls }: ListenerOptions): number {
  const isAskedForName = tls?.identityAsUsername || tls?.subjectAsUsername;
  return isAskedForName ? reason.badUserNameOrPassword : reason.notAuthorized;
}

function questionOf({
  listener,
  broker,
}: Client): ((info: ConnectInfo) => AuthResult | Promise<AuthResult>) | undefined {
  const { passwordFile } = listener;
  if (passwordFile === undefined) return broker.options.authenticate;
  return (info) => broker.access.authenticate(passwordFile, info);
}
