import { createHash, type pbkdf2 } from "node:crypto";
import { expect, test, vi } from "vitest";

/** What hashing takes, whatever else the machine does meanwhile: iterations of PBKDF2. */
const spent = vi.hoisted(() => ({ iterations: 0 }));
vi.mock("node:crypto", async (original) => {
  const crypto = await original<typeof import("node:crypto")>();
  const counting: typeof pbkdf2 = (password, salt, iterations, ...rest) => {
    spent.iterations += iterations;
    crypto.pbkdf2(password, salt, iterations, ...rest);
  };
  return { ...crypto, pbkdf2: counting };
});

const { HashingQueue } = await import("../../../src/broker/access/hashing-queue.ts");
const { parsePasswordFile } = await import("../../../src/broker/access/password-file.ts");
const { hashPassword } = await import("../../../src/broker/access/password-hash.ts");
const { Users } = await import("../../../src/broker/access/users.ts");

function sha512(password: string): string {
  const salt = Buffer.from("0123456789ab");
  const hash = createHash("sha512").update(password).update(salt).digest("base64");
  return `$6$${salt.toString("base64")}$${hash}`;
}

test("an unknown user takes as long as any known one, where a file mixes $6$ and $7$ hashes", async () => {
  const file = `old:${sha512("x")}\nnew:${await hashPassword("x")}\n`;
  const users = new Users(parsePasswordFile(file, "passwords"), new HashingQueue());
  const took: Record<string, number> = {};
  for (const [user, password, isRight] of [
    ["old", "x", true],
    ["old", "wrong", false],
    ["new", "x", true],
    ["new", "wrong", false],
    ["nobody", "x", false],
    ["somebody", "x", false],
  ] as const) {
    spent.iterations = 0;
    expect(await users.verify(user, Buffer.from(password))).toBe(isRight);
    took[`${user} ${password}`] = spent.iterations;
  }
  expect(new Set(Object.values(took))).toEqual(new Set([100_000]));
});

test("where all hashes are $6$, none is slowed down", async () => {
  const users = new Users(parsePasswordFile(`old:${sha512("x")}`, "passwords"), new HashingQueue());
  spent.iterations = 0;
  expect(await users.verify("old", Buffer.from("x"))).toBe(true);
  expect(await users.verify("nobody", Buffer.from("x"))).toBe(false);
  expect(spent.iterations).toBe(0);
});
