import { reason } from "../codec/reasons.ts";
import type { AuthResult, ConnectInfo, Identity } from "../options.ts";
import type { Timers } from "../timers.ts";
import { type Access, Acl } from "./acl.ts";
import { parseAclFile } from "./acl-file.ts";
import { Guesses } from "./guesses.ts";
import { HashingQueue } from "./hashing-queue.ts";
import { parsePasswordFile } from "./password-file.ts";
import { readAccessFile } from "./read-file.ts";
import { Users } from "./users.ts";

/** Where a listener's users and rules are. */
export interface AccessFiles {
  readonly passwordFile?: string;
  readonly aclFile?: string;
}

/** The password and ACL files of all listeners, as they were read last. */
export class AccessControl {
  readonly #files: readonly AccessFiles[];
  readonly #queue = new HashingQueue();
  readonly #guesses: Guesses;
  #settled: Promise<void> | undefined;
  #users: ReadonlyMap<string, Users> = new Map();
  #acls: ReadonlyMap<string, Acl> = new Map();

  private constructor(files: readonly AccessFiles[], timers: Timers) {
    this.#files = files;
    this.#guesses = new Guesses(timers);
  }

  /** Throws GatewayError CONFIG_INVALID with file and line of what is wrong. */
  static async open(files: readonly AccessFiles[], timers: Timers): Promise<AccessControl> {
    const control = new AccessControl(files, timers);
    const apply = await control.prepare();
    apply();
    return control;
  }

  /** Resolves when the files are no longer being read again; undefined where they are not. */
  get settled(): Promise<void> | undefined {
    return this.#settled;
  }

  /** Reads the files again by `reload`; who comes meanwhile is to wait for the new ones: see `settled`. */
  async during(reload: () => Promise<void>): Promise<void> {
    const reloading = reload();
    const settled = reloading.catch(() => {}); // whoever reloads is told
    this.#settled = settled;
    await settled;
    if (this.#settled === settled) this.#settled = undefined;
    await reloading;
  }

  /**
   * Reads the files again; what is returned puts them into force, and tells whether a user of a file is no longer the
   * same. Throws as `open`, and nothing has changed.
   */
  async prepare(): Promise<() => (passwordFile: string, user: string) => boolean> {
    const users = await readEach(
      this.#files.map(({ passwordFile }) => passwordFile),
      (text, file) => new Users(parsePasswordFile(text, file), this.#queue),
    );
    const acls = await readEach(
      this.#files.map(({ aclFile }) => aclFile),
      (text, file) => new Acl(parseAclFile(text, file)),
    );
    return () => {
      const before = this.#users;
      this.#users = users;
      this.#acls = acls;
      return (file, user) => {
        const [old, now] = [before.get(file), users.get(file)];
        return old !== undefined && now !== undefined && old.changed(user, now);
      };
    };
  }

  /** Whoever guesses waits; the answer to a wrong name is that to a wrong password. */
  async authenticate(passwordFile: string, info: ConnectInfo): Promise<AuthResult> {
    const { username, password, address } = info;
    const users = this.#users.get(passwordFile);
    if (users === undefined || username === undefined) return { refused: reason.notAuthorized };
    const given = password ?? Buffer.alloc(0);
    if (users.remembers(username, given)) return { ok: true, username };
    if (!(await this.#guesses.turn(address))) return { refused: reason.connectionRateExceeded };
    const right = await users.verify(username, given);
    if (this.#users.get(passwordFile) !== users) return this.authenticate(passwordFile, info); // reloaded meanwhile
    if (right === undefined) return { refused: reason.serverBusy };
    if (right) return { ok: true, username };
    this.#guesses.failed(address);
    return { refused: reason.notAuthorized };
  }

  /** Without an ACL file everything is allowed; under one that is no longer configured, nothing. */
  may(who: Identity, access: Access, topic: string): boolean {
    return who.aclFile === undefined || (this.#acls.get(who.aclFile)?.may(who, access, topic) ?? false);
  }
}

async function readEach<T>(
  files: readonly (string | undefined)[],
  parse: (text: string, file: string) => T,
): Promise<Map<string, T>> {
  const read = new Map<string, T>();
  for (const file of new Set(files)) if (file !== undefined) read.set(file, parse(await readAccessFile(file), file));
  return read;
}
