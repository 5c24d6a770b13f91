import { createHash, pbkdf2, randomBytes, timingSafeEqual } from "node:crypto";

/** What a password file keeps of a password. */
export interface PasswordHash {
  /** Of PBKDF2-SHA512 (`$7$`). 0: SHA-512 of password and salt, once (`$6$`). */
  readonly iterations: number;
  readonly salt: Buffer;
  readonly hash: Buffer;
}

const HASH_BYTES = 64;
/** As many as Mosquitto's own salts have. */
const SALT_BYTES = 12;
/** 50 ms of one core of a fast machine, half a second of a Pi Zero 2: Mosquitto, which reads these files, hashes in its only thread. */
const STRONG_ITERATIONS = 100_000;
/** More would keep a thread busy for seconds with one guess. */
const MOST_ITERATIONS = 5_000_000;

const forms = [
  /^\$(7)\$(\d{1,9})\$([A-Za-z0-9+/]+={0,2})\$([A-Za-z0-9+/]+={0,2})$/,
  /^\$(6)(\$)([A-Za-z0-9+/]+={0,2})\$([A-Za-z0-9+/]+={0,2})$/,
];

/** `$7$ITERATIONS$SALT$HASH` or `$6$SALT$HASH`, base64, as mosquitto_passwd writes them. Undefined: it is neither. */
export function parsePasswordHash(text: string): PasswordHash | undefined {
  const [, kind, count = "", salt = "", digest = ""] =
    forms.map((form) => form.exec(text)).find((found) => found) ?? [];
  const hash = Buffer.from(digest, "base64");
  const iterations = kind === "7" ? Number(count) : 0;
  const isSane = kind === "6" || (iterations > 0 && iterations <= MOST_ITERATIONS);
  return isSane && hash.length === HASH_BYTES ? { iterations, salt: Buffer.from(salt, "base64"), hash } : undefined;
}

/** A strong one of this password, in the file's form. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(SALT_BYTES);
  const hash = await derive(Buffer.from(password), salt, STRONG_ITERATIONS);
  return `$7$${STRONG_ITERATIONS}$${salt.toString("base64")}$${hash.toString("base64")}`;
}

/**
 * Off the main thread where it takes long; in a time that does not depend on what is right of the password. One that needs
 * fewer iterations than `inAll` spends the others on nothing, so that hashes of several strengths take as long as each other.
 */
export async function isPassword(
  password: Buffer,
  { iterations, salt, hash }: PasswordHash,
  inAll = iterations,
): Promise<boolean> {
  const digest =
    iterations === 0
      ? createHash("sha512").update(password).update(salt).digest()
      : await derive(password, salt, iterations);
  if (inAll > iterations) await derive(password, salt, inAll - iterations);
  return timingSafeEqual(digest, hash);
}

export function isSameHash(one: PasswordHash, other: PasswordHash): boolean {
  return one.iterations === other.iterations && one.salt.equals(other.salt) && one.hash.equals(other.hash);
}

function derive(password: Buffer, salt: Buffer, iterations: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    pbkdf2(password, salt, iterations, HASH_BYTES, "sha512", (error, key) => (error ? reject(error) : resolve(key)));
  });
}
