import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { AccessControl } from "../../../src/broker/access/access-control.ts";
import { HashingQueue } from "../../../src/broker/access/hashing-queue.ts";
import { parsePasswordFile } from "../../../src/broker/access/password-file.ts";
import { hashPassword } from "../../../src/broker/access/password-hash.ts";
import { Users } from "../../../src/broker/access/users.ts";
import { startMosquitto } from "../../support/mosquitto.ts";
import { FakeTimers } from "../support/timers.ts";

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "passwords-"));
  file = join(folder, "passwords");
});
afterEach(() => rmSync(folder, { recursive: true }));

const passwd = (...args: string[]) => execFileSync("mosquitto_passwd", args, { stdio: "pipe" });
const info = (username: string, password: string, address = "192.0.2.1") => ({
  clientId: "c",
  username,
  password: Buffer.from(password),
  address,
});

async function usersOf(text: string): Promise<Users> {
  return new Users(parsePasswordFile(text, "passwords"), new HashingQueue());
}

describe("a password file", () => {
  test("of Debian's mosquitto_passwd is understood, $7$ and $6$ alike", async () => {
    passwd("-c", "-b", file, "alice", "secret");
    passwd("-b", file, "bob", "pässword");
    passwd("-H", "sha512", "-b", file, "carol", "old");
    const users = await usersOf(readFileSync(file, "utf8"));
    const verify = (user: string, password: string) => users.verify(user, Buffer.from(password));
    expect(await Promise.all([verify("alice", "secret"), verify("bob", "pässword"), verify("carol", "old")])).toEqual([
      true,
      true,
      true,
    ]);
    expect(await Promise.all([verify("alice", "Secret"), verify("carol", ""), verify("dave", "secret")])).toEqual([
      false,
      false,
      false,
    ]);
  });

  test("of ours is understood by Debian's mosquitto", async () => {
    const hash = await hashPassword("correct horse");
    writeFileSync(file, `# users\n\nalice:${hash}\n`);
    await using mosquitto = await startMosquitto({ global: [`password_file ${file}`] });
    const publish = (password: string) =>
      execFileSync(
        "mosquitto_pub",
        ["-p", `${mosquitto.port}`, "-u", "alice", "-P", password, "-t", "a", "-m", "1", "-q", "1"],
        { stdio: "pipe" },
      );
    expect(() => publish("correct horse")).not.toThrow();
    expect(() => publish("correct")).toThrow();
  });

  test.each([
    ["alice", "passwords:2: expected NAME:HASH"],
    [":$6$x", "passwords:2: expected NAME:HASH"],
    ["alice:plain", 'passwords:2: the password of "alice" is not a $7$ or $6$ hash: set it with fieldpost passwd'],
    ["alice:$7$999999999$c2FsdA==$aGFzaA==", 'passwords:2: the password of "alice" is not a $7$ or $6$ hash'],
  ])("with the line %s is refused with file and line", (line, message) => {
    expect(() => parsePasswordFile(`# comment\n${line}\n`, "passwords")).toThrow(message);
  });

  test("with a user twice is refused", async () => {
    const line = `alice:${await hashPassword("x")}`;
    expect(() => parsePasswordFile(`${line}\n${line}\n`, "passwords")).toThrow(
      'passwords:2: "alice" is in this file twice',
    );
  });
});

describe("checking a password", () => {
  test("hashes once for the clients of one user that come together, and not at all later", async () => {
    let hashed = 0;
    class Counting extends HashingQueue {
      override run<T>(work: () => Promise<T>): Promise<T | undefined> {
        hashed++;
        return super.run(work);
      }
    }
    const hashes = parsePasswordFile(`alice:${await hashPassword("x")}`, "f");
    const users = new Users(hashes, new Counting());
    const storm = Array.from({ length: 100 }, () => users.verify("alice", Buffer.from("x")));
    expect(new Set(await Promise.all(storm))).toEqual(new Set([true]));
    expect(hashed).toBe(1);
    expect(users.remembers("alice", Buffer.from("x"))).toBe(true);
    expect(users.remembers("alice", Buffer.from("y"))).toBe(false);
    await users.verify("nobody", Buffer.from("x"));
    expect(hashed).toBe(2);
  });

  test("gives up when a thousand wait already", async () => {
    const queue = new HashingQueue();
    let finish = () => {};
    const blocked = new Promise<void>((resolve) => {
      finish = resolve;
    });
    const running = Array.from({ length: 1002 }, () => queue.run(() => blocked));
    expect(await queue.run(async () => "ran")).toBeUndefined();
    finish();
    await Promise.all(running);
    expect(await queue.run(async () => "ran")).toBe("ran");
  });
});

describe("guessing", () => {
  let timers: FakeTimers;
  let control: AccessControl;
  beforeEach(async () => {
    passwd("-c", "-b", file, "alice", "secret");
    timers = new FakeTimers();
    control = await AccessControl.open([{ passwordFile: file }], timers);
  });
  const attempt = (username: string, password: string, address?: string) =>
    control.authenticate(file, info(username, password, address));

  test("gives the same answer for a wrong password and a user that is not there", async () => {
    expect(await attempt("alice", "wrong")).toEqual({ refused: 0x87 });
    expect(await attempt("nobody", "wrong")).toEqual({ refused: 0x87 });
  });

  test("gets slow after five wrong passwords, for that address alone", async () => {
    for (let i = 0; i < 5; i++) await attempt("alice", `guess ${i}`);
    let answered = false;
    const sixth = attempt("alice", "secret").then((result) => {
      answered = true;
      return result;
    });
    expect(await attempt("alice", "wrong", "192.0.2.2")).toEqual({ refused: 0x87 });
    expect(answered).toBe(false);
    timers.advance(100);
    expect(await sixth).toEqual({ ok: true, username: "alice" });
  });

  test("refuses what would have to wait for long, unseen", async () => {
    for (let i = 0; i < 12; i++) {
      const attempted = attempt("alice", `guess ${i}`);
      timers.advance(3000);
      await attempted;
    }
    const waiting = [attempt("alice", "a"), attempt("alice", "b")];
    expect(await attempt("alice", "secret")).toEqual({ refused: 0x9f });
    timers.advance(6000);
    await Promise.all(waiting);
  });

  test("does not slow down who was let in before", async () => {
    await attempt("alice", "secret");
    for (let i = 0; i < 12; i++) {
      const attempted = attempt("alice", `guess ${i}`);
      timers.advance(3000);
      await attempted;
    }
    expect(await attempt("alice", "secret")).toEqual({ ok: true, username: "alice" });
  });

  test("is counted for a whole IPv6 network", async () => {
    for (let i = 0; i < 5; i++) await attempt("alice", "wrong", `2001:db8:1:2::${i}`);
    const answers = [attempt("alice", "wrong", "2001:db8:1:2:ffff::1").then(() => "slow")];
    answers.push(attempt("alice", "wrong", "2001:db8:1:3::1").then(() => "fast"));
    expect(await Promise.race(answers)).toBe("fast");
    timers.advance(100);
    await Promise.all(answers);
  });

  test("is forgotten after ten minutes", async () => {
    for (let i = 0; i < 5; i++) await attempt("alice", "wrong");
    timers.advance(10 * 60_000);
    expect(await attempt("alice", "wrong")).toEqual({ refused: 0x87 });
  });
});
