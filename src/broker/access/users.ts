import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import type { HashingQueue } from "./hashing-queue.ts";
import { isPassword, isSameHash, type PasswordHash } from "./password-hash.ts";

/** Users whose password was right a while ago, so that a thousand who come back at once cost no hashing. */
const MAX_REMEMBERED = 2000;

/** The users of one password file. Says nothing about who exists: an unknown user takes as long as a known one, whatever hashes are in the file. */
export class Users {
  readonly #hashes: ReadonlyMap<string, PasswordHash>;
  readonly #queue: HashingQueue;
  /** Of the strongest hash in the file: every check takes as many. */
  readonly #iterations: number;
  /** Somebody's, whose check an unknown user gets. */
  readonly #standIn: PasswordHash | undefined;
  /** Of this process alone: what is remembered is of no use to anyone else. */
  readonly #key = randomBytes(32);
  readonly #remembered = new Map<string, Buffer>();
  readonly #checking = new Map<string, Promise<boolean | undefined>>();

  constructor(hashes: ReadonlyMap<string, PasswordHash>, queue: HashingQueue) {
    this.#hashes = hashes;
    this.#queue = queue;
    const all = [...hashes.values()];
    this.#iterations = Math.max(0, ...all.map(({ iterations }) => iterations));
    this.#standIn = all[0];
  }

  /** Was this found to be right before? Answers at once. */
  remembers(user: string, password: Buffer): boolean {
    const seal = this.#remembered.get(user);
    return seal !== undefined && timingSafeEqual(seal, this.#seal(user, password));
  }

  /** Undefined: too many are being checked to say. */
  async verify(user: string, password: Buffer): Promise<boolean | undefined> {
    const seal = this.#seal(user, password);
    const key = seal.toString("base64");
    // Clients of one user that come together are one check.
    const checking = this.#checking.get(key) ?? this.#check(user, password);
    this.#checking.set(key, checking);
    const right = await checking;
    this.#checking.delete(key);
    if (right) this.#remember(user, seal);
    return right;
  }

  /** Those who are not the same in `next`: gone, or with another password. */
  changed(user: string, next: Users): boolean {
    const [before, after] = [this.#hashes.get(user), next.#hashes.get(user)];
    return before !== undefined && (after === undefined || !isSameHash(before, after));
  }

  async #check(user: string, password: Buffer): Promise<boolean | undefined> {
    const known = this.#hashes.get(user);
    const hash = known ?? this.#standIn;
    if (hash === undefined) return false;
    const right = await this.#queue.run(() => isPassword(password, hash, this.#iterations));
    // Nobody is let in with an empty password, whatever hash is in the file.
    return right === undefined ? undefined : right && known !== undefined && password.length > 0;
  }

  #remember(user: string, seal: Buffer): void {
    this.#remembered.delete(user);
    this.#remembered.set(user, seal);
    if (this.#remembered.size <= MAX_REMEMBERED) return;
    const [oldest] = this.#remembered.keys();
    this.#remembered.delete(oldest as string);
  }

  #seal(user: string, password: Buffer): Buffer {
    return createHmac("sha256", this.#key).update(`${user.length}:${user}:`).update(password).digest();
  }
}
