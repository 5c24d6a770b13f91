import { hostname, networkInterfaces } from "node:os";
import { dirname, join } from "node:path";
import { GatewayError } from "../../core/errors.ts";
import { createAuthority, type Issued, issueClient, issueServer, renew, revoke } from "../../pki/authority.ts";
import { type Command, EXIT } from "../command.ts";

export const pki: Command = {
  name: "pki",
  summary: "a small certificate authority for the bundled broker and its clients (needs openssl)",
  arguments: [
    { name: "action", about: "init, server, client, renew or revoke" },
    { name: "name", about: "whose: a client's user name, or `server`", optional: true },
  ],
  options: [
    { flags: "--dir <directory>", about: "where it lives; by default `pki` beside the configuration" },
    { flags: "--names <names>", about: "host names and addresses of the server, by commas; by default this machine's" },
  ],
  example: "fieldpost pki client kitchen-display",
  async run({ args: [action = "", name], options, configFile, io }) {
    const directory = String(options.dir ?? join(dirname(configFile), "pki"));
    const say = (text: string) => io.out(`${text}\n`);
    switch (action) {
      case "init":
        await createAuthority(directory);
        say(`clients need ${join(directory, "ca.pem")}; keep ${join(directory, "ca.key")} to yourself`);
        break;
      case "server": {
        const names = options.names === undefined ? ownNames() : String(options.names).split(",");
        say(`${described(await issueServer(directory, names))}\nfor ${names.join(", ")}`);
        break;
      }
      case "client":
        say(described(await issueClient(directory, required(action, name))));
        break;
      case "renew": {
        const renewed = await renew(directory, name, Date.now());
        say(renewed.length > 0 ? `renewed: ${renewed.join(", ")}${reload}` : "nothing ends within 30 days");
        break;
      }
      case "revoke":
        await revoke(directory, required(action, name));
        say(`revoked, for listeners with crl: ${join(directory, "crl.pem")}${reload}`);
        break;
      default:
        throw new GatewayError("USAGE_INVALID", `the action is init, server, client, renew or revoke, not "${action}"`);
    }
    return EXIT.ok;
  },
};

const reload = "\n`systemctl reload fieldpost` puts it into force; who is connected stays";

function described({ certFile, keyFile, expiresAtMs }: Issued): string {
  return `certificate ${certFile}\nkey         ${keyFile}\nends        ${new Date(expiresAtMs).toISOString().slice(0, 10)}`;
}

function required(action: string, name: string | undefined): string {
  if (name === undefined) throw new GatewayError("USAGE_INVALID", `\`pki ${action}\` needs a name`);
  return name;
}

/** As it is found on the local network, and from itself. Addresses that a lease gives may change: names do not. */
function ownNames(): string[] {
  const host = hostname();
  const addresses = Object.values(networkInterfaces()).flatMap((found) => found ?? []);
  const reachable = addresses.filter(({ address }) => !address.startsWith("fe80:")).map(({ address }) => address);
  return [...new Set([host, ...(host.includes(".") ? [] : [`${host}.local`]), "localhost", ...reachable])];
}
