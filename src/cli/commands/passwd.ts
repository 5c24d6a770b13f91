import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { hashPassword } from "../../broker/access/password-hash.ts";
import { loadConfig } from "../../config/load.ts";
import { GatewayError } from "../../core/errors.ts";
import { readOrEmpty, replaceFile } from "../access/atomic-file.ts";
import { withoutUser, withUser } from "../access/edit-users.ts";
import { isRole, roles, type TopicRoots, withoutRole, withRole } from "../access/roles.ts";
import { readNewPassword } from "../access/secret-input.ts";
import { type Command, EXIT, type Invocation } from "../command.ts";

export const passwd: Command = {
  name: "passwd",
  summary: "add, change or delete a user of the bundled broker; reads the password from standard input, or asks for it",
  arguments: [
    { name: "file", about: "the password file (broker.password_file), in Mosquitto's format" },
    { name: "user", about: "the user's name; a gateway's is its gateway id" },
  ],
  options: [
    { flags: "--delete", about: "take the user away" },
    { flags: "--role <role>", about: "write access rules too: gateway, homeassistant or reader" },
    { flags: "--acl <file>", about: "the file for them (broker.acl_file); by default `acl` beside the password file" },
  ],
  example: "fieldpost passwd /etc/fieldpost/passwords kitchen-display --role reader",
  async run(invocation) {
    const [file = "", user = ""] = invocation.args;
    if (!/^[^:\p{Cc}]{1,256}$/u.test(user) || user.startsWith("#"))
      throw new GatewayError("USAGE_INVALID", "a user's name has no colon in it, and does not begin with #");
    const { acl = join(dirname(file), "acl"), delete: isDelete } = invocation.options;
    if (isDelete) await remove(file, String(acl), user);
    else await set(invocation, file, String(acl), user);
    invocation.io.out(
      `${user} ${isDelete ? "is deleted" : "is set"}; \`systemctl reload fieldpost\` puts it into force\n`,
    );
    return EXIT.ok;
  },
};

async function set(invocation: Invocation, file: string, aclFile: string, user: string): Promise<void> {
  const { role } = invocation.options;
  if (role !== undefined && !isRole(role))
    throw new GatewayError("USAGE_INVALID", `the role is one of ${Object.keys(roles).join(", ")}, not "${role}"`);
  if (role !== undefined && /[+#/\s]/.test(user))
    throw new GatewayError("USAGE_INVALID", `"${user}" stands in topics: it cannot have +, #, / or spaces in it`);
  const text = await readOrEmpty(file);
  const rules =
    role &&
    withRole(await readOrEmpty(aclFile), aclFile, user, role, await topicRoots(invocation.configFile, invocation));
  const hash = await hashPassword(await readNewPassword(user));
  if (rules !== undefined) await replaceFile(aclFile, rules);
  await replaceFile(file, withUser(text, user, hash));
}

async function remove(file: string, aclFile: string, user: string): Promise<void> {
  const text = withoutUser(await readOrEmpty(file), user);
  if (text === undefined) throw new GatewayError("USAGE_INVALID", `there is no "${user}" in ${file}`);
  const rules = await readOrEmpty(aclFile);
  const left = withoutRole(rules, aclFile, user);
  await replaceFile(file, text);
  if (left !== rules) await replaceFile(aclFile, left);
}

async function topicRoots(configFile: string, { io }: Invocation): Promise<TopicRoots> {
  if (!existsSync(configFile)) return { base: "fieldpost", discovery: "homeassistant" };
  const { config } = await loadConfig(configFile, { missingFiles: "warn", env: io.env });
  return { base: config.mqtt.baseTopic, discovery: config.homeAssistant.discoveryPrefix };
}
