import { connectAsync, type MqttClient } from "mqtt";
import { describe, expect, test } from "vitest";
import { Acl } from "../../../src/broker/access/acl.ts";
import { parseAclFile } from "../../../src/broker/access/acl-file.ts";
import { startMosquitto } from "../../support/mosquitto.ts";

const rules = `# for everyone without a name
topic read anon/#
topic deny anon/secret

user alice
topic a/#
topic read $SYS/broker/version
topic deny a/no
topic deny a/+/no
topic read with space/x
topic readwrite #
topic deny forbidden/#
user bob
pattern read x/a%u
pattern read y/%u/#
pattern write z/%c
pattern deny w/2
pattern deny a/pat
topic write w/+
topic read w/only
topic   read    b
user plus+l
topic write own
user slash/l
topic readwrite q
user alice
topic deny late
`;

const users = [undefined, "alice", "bob", "plus+l", "slash/l", "nobody"];
const clientIds = ["i", "a/b"];
const topics = [
  ...["anon", "anon/x", "anon/secret", "a", "a/b", "a/no", "a/x/no", "a/pat", "with space/x", "forbidden", "late"],
  ...["w/1", "w/2", "w/only", "w/1/2", "b", "own", "q", "x/abob", "x/aalice", "y/bob", "y/bob/1", "y/slash/l"],
  ...["z/i", "z/a/b", "z/j", "other", "/", "//"],
];

interface Attempt {
  readonly username: string | undefined;
  readonly clientId: string;
}
const attempts: Attempt[] = [
  ...users.flatMap((username) => clientIds.map((clientId) => ({ username, clientId }))),
  { username: "bob", clientId: "has#wildcard" },
];

/** What this client may write and read, found out by trying. */
async function tried(port: number, { username, clientId }: Attempt): Promise<string[]> {
  const client = await join(port, clientId, username);
  const allowed: string[] = [];
  for (const topic of topics) {
    const refused = await client.publishAsync(topic, "x", { qos: 1 }).then(
      () => false,
      () => true,
    );
    if (!refused) allowed.push(`write ${topic}`);
  }
  const seen = new Set<string>();
  client.on("message", (topic) => seen.add(topic));
  // One by one: under a wildcard Mosquitto's `$` rule and the ACL could not be told apart.
  for (const topic of [...topics, `fence/${clientId}`]) await client.subscribeAsync(topic, { qos: 1 }).catch(() => {});
  await using writer = new Writer(await join(port, "writer", "writer"));
  await writer.publish(topics);
  await client.unsubscribeAsync(topics);
  await client.endAsync();
  return [...allowed, ...topics.filter((topic) => seen.has(topic)).map((topic) => `read ${topic}`)];
}

class Writer implements AsyncDisposable {
  readonly #client: MqttClient;
  constructor(client: MqttClient) {
    this.#client = client;
  }
  async publish(to: readonly string[]): Promise<void> {
    for (const topic of to) await this.#client.publishAsync(topic, "x", { qos: 1 });
  }
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client.endAsync();
  }
}

function join(port: number, clientId: string, username: string | undefined): Promise<MqttClient> {
  return connectAsync(`mqtt://127.0.0.1:${port}`, {
    protocolVersion: 5,
    reconnectPeriod: 0,
    clientId,
    ...(username !== undefined && { username }),
  });
}

describe("an ACL file", () => {
  /** What Mosquitto's patterns grant to names with `/` in them, and ours do not. */
  const withSlash = ["write z/a/b", "read y/slash/l"];

  test("means what it means to Debian's mosquitto, but for patterns with names that have a `/`", async () => {
    const lines = [...rules.split("\n"), "user writer", "topic readwrite #"];
    await using mosquitto = await startMosquitto({ acl: lines });
    const acl = new Acl(parseAclFile(lines.join("\n"), "acl"));
    let allowed = 0;
    for (const { username, clientId } of attempts) {
      const who = { clientId, aclFile: "acl", ...(username !== undefined && { username }) };
      const ours = [
        ...topics.filter((topic) => acl.may(who, "write", topic)).map((topic) => `write ${topic}`),
        ...topics.filter((topic) => acl.may(who, "read", topic)).map((topic) => `read ${topic}`),
      ];
      expect({ username, clientId, may: ours }).toEqual({
        username,
        clientId,
        may: (await tried(mosquitto.port, { username, clientId })).filter(
          (what) => !withSlash.includes(what) || ours.includes(what),
        ),
      });
      allowed += ours.length;
    }
    expect(allowed).toBeGreaterThan(60);
  }, 60_000);

  test.each([
    ["topic", "acl:2: expected a topic"],
    ["pattern ", "acl:2: expected a topic"],
    ["user", "acl:2: expected a user's name after `user`"],
    ["topic foo bar", 'acl:2: expected `read`, `write`, `readwrite` or `deny`, not "foo"'],
    ["topic read a/#/b", 'acl:2: "a/#/b" is not a topic filter'],
    ["topic a+b", 'acl:2: "a+b" is not a topic filter'],
    ["allow x", 'acl:2: expected `user`, `topic` or `pattern`, not "allow"'],
  ])("with the line `%s` is refused with file and line, as Mosquitto refuses it", async (line, message) => {
    expect(() => parseAclFile(`# comment\n${line}\n`, "acl")).toThrow(message);
    await expect(startMosquitto({ acl: ["# comment", line] })).rejects.toThrow(/acl/);
  });

  test("grants no place deeper than one level to a name, but denies it", () => {
    const acl = new Acl(
      parseAclFile("pattern write %c\npattern read %u/#\npattern read all/#\npattern deny all/%c", "acl"),
    );
    const may = (clientId: string, username: string, access: "read" | "write", topic: string) =>
      acl.may({ clientId, username, aclFile: "acl" }, access, topic);
    expect(may("pump", "u", "write", "pump")).toBe(true);
    expect(may("home/pump/set", "u", "write", "home/pump/set")).toBe(false);
    expect(may("c", "u", "read", "u/x")).toBe(true);
    expect(may("c", "a/b", "read", "a/b/x")).toBe(false);
    expect(may("a/b", "u", "read", "all/x")).toBe(true);
    expect(may("a/b", "u", "read", "all/a/b")).toBe(false);
  });

  test("that is empty allows nothing", () => {
    const acl = new Acl(parseAclFile("", "acl"));
    expect(acl.may({ clientId: "c", aclFile: "acl" }, "read", "a")).toBe(false);
  });
});

describe("a subscription", () => {
  const acl = new Acl(
    parseAclFile("user u\ntopic read a/+/c\ntopic deny a/no/#\ntopic write w/#\npattern read p/%u/#", "acl"),
  );
  const may = (filter: string) => acl.may({ clientId: "c", username: "u", aclFile: "acl" }, "subscribe", filter);

  test.each(["#", "+/+/c", "a/#", "a/b/c", "a/+/+", "p/#", "p/u", "$share/group/a/#"])(
    "to %s is taken: some of it may be read",
    (filter) => {
      expect(may(filter)).toBe(true);
    },
  );

  test.each(["a", "a/b", "b/#", "w/#", "a/no/c", "a/no/#", "+", "$SYS/#", "p/other/#", "$share/group/w/x"])(
    "to %s is refused: nothing of it may be read",
    (filter) => {
      expect(may(filter)).toBe(false);
    },
  );
});
