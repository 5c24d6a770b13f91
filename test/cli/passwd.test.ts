import { spawn, spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Acl } from "../../src/broker/access/acl.ts";
import { parseAclFile } from "../../src/broker/access/acl-file.ts";
import { HashingQueue } from "../../src/broker/access/hashing-queue.ts";
import { parsePasswordFile } from "../../src/broker/access/password-file.ts";
import { Users } from "../../src/broker/access/users.ts";
import { withoutRole, withRole } from "../../src/cli/access/roles.ts";
import { waitFor } from "../support/mosquitto.ts";

const MAIN = join(import.meta.dirname, "../../dist/main.js");
const roots = { base: "fieldpost", discovery: "homeassistant" };

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "passwd-"));
  file = join(folder, "passwords");
});
afterEach(() => rmSync(folder, { recursive: true }));

function passwd(input: string, ...args: string[]) {
  const config = ["--config", join(folder, "fieldpost.yaml")];
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, "passwd", ...args, ...config], {
    input,
    encoding: "utf8",
  });
  return { code: status, out: stdout, err: stderr };
}

function verify(user: string, password: string): Promise<boolean | undefined> {
  const users = new Users(parsePasswordFile(readFileSync(file, "utf8"), file), new HashingQueue());
  return users.verify(user, Buffer.from(password));
}

describe("fieldpost passwd", () => {
  test("adds, changes and deletes users, and leaves everything else as it is", async () => {
    writeFileSync(file, "# who may connect\nbob:$6$c2FsdA==$x\n");
    const before = readFileSync(file, "utf8");
    expect(passwd("first\n", file, "alice")).toMatchObject({ code: 0, err: "" });
    expect(readFileSync(file, "utf8")).toMatch(/^# who may connect\nbob:\$6\$c2FsdA==\$x\nalice:\$7\$100000\$/);
    expect(passwd("second\nignored", file, "alice").code).toBe(0);
    expect(passwd("", "--delete", file, "bob").code).toBe(0);
    expect(await verify("alice", "second")).toBe(true);
    expect(await verify("alice", "first")).toBe(false);
    writeFileSync(file, `${readFileSync(file, "utf8")}bob:$6$c2FsdA==$x\n`);
    expect(passwd("", "--delete", file, "alice").code).toBe(0);
    expect(readFileSync(file, "utf8")).toBe(before);
  }, 120_000);

  test("keeps the file's mode, makes a new one that others cannot read, and leaves nothing behind", () => {
    passwd("x\n", file, "alice");
    expect(statSync(file).mode & 0o007).toBe(0);
    chmodSync(file, 0o604);
    passwd("y\n", file, "alice");
    expect(statSync(file).mode & 0o777).toBe(0o604);
    expect(readdirSync(folder)).toEqual(["passwords"]);
  });

  test.each([
    ["an empty password", "\n", ["alice"], "the password is empty"],
    ["a name with a colon", "x\n", ["a:b"], "a user's name has no colon in it"],
    ["a user that is not there", "", ["--delete", "nobody"], 'there is no "nobody" in'],
    ["a role that is none", "x\n", ["alice", "--role", "admin"], "the role is one of gateway, homeassistant, reader"],
    ["a role for a name that is no topic level", "x\n", ["a/b", "--role", "gateway"], "stands in topics"],
  ])("refuses %s, and changes nothing", (_title, input, args, message) => {
    const result = passwd(
      input,
      ...args.filter((word) => word.startsWith("--delete")),
      file,
      ...args.filter((word) => word !== "--delete"),
    );
    expect(result).toMatchObject({ code: 2, out: "" });
    expect(result.err).toContain(message);
    expect(existsSync(file)).toBe(false);
  });

  test("asks at a terminal, twice, and does not show what is typed", async () => {
    const command = `${process.execPath} ${MAIN} passwd ${file} alice`;
    const terminal = spawn("script", ["-qec", command, "/dev/null"], { stdio: ["pipe", "pipe", "ignore"] });
    let shown = "";
    terminal.stdout.on("data", (chunk) => (shown += chunk));
    await waitFor(() => shown.includes("Password of alice: "));
    terminal.stdin.write("wrong\u007f\u007f\u007f\u007f\u007fhidden\r");
    await waitFor(() => shown.includes("Once more: "));
    terminal.stdin.write("hidden\r");
    await waitFor(() => shown.includes("alice is set"));
    expect(shown).not.toContain("hidden");
    expect(await verify("alice", "hidden")).toBe(true);
  });

  test("writes the rules of a role, with the topics of the configuration, and takes them away with the user", () => {
    writeFileSync(join(folder, "fieldpost.yaml"), "mqtt: { base_topic: farm }\n");
    expect(passwd("x\n", file, "display", "--role", "reader").code).toBe(0);
    const acl = join(folder, "acl");
    expect(readFileSync(acl, "utf8")).toBe(
      "# fieldpost passwd: display is a reader\nuser display\ntopic read farm/#\ntopic read homeassistant/#\n",
    );
    expect(passwd("", "--delete", file, "display").code).toBe(0);
    expect(readFileSync(acl, "utf8")).toBe("");
  });
});

describe("roles", () => {
  const text = withRole(
    withRole(withRole("", "acl", "greenhouse", "gateway", roots), "acl", "ha", "homeassistant", roots),
    "acl",
    "display",
    "reader",
    roots,
  );
  const acl = new Acl(parseAclFile(text, "acl"));
  const may = (username: string, access: "read" | "write", topic: string) =>
    acl.may({ clientId: "c", username, aclFile: "acl" }, access, topic);

  test.each(["fieldpost/greenhouse/pump/set", "fieldpost/greenhouse/pump/relay/set"])(
    "%s is for Home Assistant to write and for the gateway to read; a reader never switches a pump",
    (topic) => {
      expect(may("ha", "write", topic)).toBe(true);
      expect(may("greenhouse", "read", topic)).toBe(true);
      expect(may("display", "write", topic)).toBe(false);
    },
  );

  test("a reader writes nothing at all", () => {
    for (const topic of ["fieldpost/greenhouse/status", "homeassistant/status", "a", "$SYS/x"])
      expect(may("display", "write", topic)).toBe(false);
    expect(may("display", "read", "fieldpost/greenhouse/climate/state")).toBe(true);
  });

  test("a gateway has its own topics and no other gateway's", () => {
    for (const topic of ["fieldpost/greenhouse/climate/state", "homeassistant/device/greenhouse/climate/config"])
      expect(may("greenhouse", "write", topic)).toBe(true);
    for (const topic of ["fieldpost/barn/status", "homeassistant/device/barn/x/config", "homeassistant/status"])
      expect(may("greenhouse", "write", topic)).toBe(false);
    expect(may("greenhouse", "read", "homeassistant/status")).toBe(true);
  });

  test("another role replaces the one before, between others", () => {
    const changed = withRole(text, "acl", "ha", "reader", roots);
    expect(changed.match(/^user /gm)).toHaveLength(3);
    expect(
      new Acl(parseAclFile(changed, "acl")).may(
        { clientId: "c", username: "ha", aclFile: "acl" },
        "write",
        "fieldpost/a/b/set",
      ),
    ).toBe(false);
    expect(withoutRole(changed, "acl", "greenhouse")).not.toContain("greenhouse");
  });

  test("rules that were written by hand are not touched", () => {
    const own = "user bob\ntopic read a\n";
    expect(() => withRole(own, "acl", "bob", "reader", roots)).toThrow(
      'acl:1: "bob" has rules already that were written by hand',
    );
    const added = `${own}\n${withRole("", "acl", "display", "reader", roots)}\n# more\ntopic write b\n`;
    expect(() => withoutRole(added, "acl", "display")).toThrow(/acl:\d+: rules were added to "display" by hand here/);
    const with_ = withRole(own, "acl", "display", "reader", roots);
    expect(with_.startsWith(own)).toBe(true);
    expect(withoutRole(with_, "acl", "display").trim()).toBe(own.trim());
  });
});
