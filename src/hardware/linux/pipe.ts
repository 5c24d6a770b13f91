import { execFileSync } from "node:child_process";
import { closeSync, constants, mkdtempSync, openSync, readSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** What a pipe holds (pipe(7)). */
const CAPACITY = 65_536;

/**
 * A pipe for what a child writes, read when it suits us. Node would give the child a socket: each line wakes us, and one that
 * nobody reads is full after 278 lines, where a pipe holds 64 KiB of them.
 */
export class Pipe {
  /** The child's end. Ours to close once the child has it. */
  readonly writeFd: number;
  readonly #readFd: number;
  readonly #buffer = Buffer.alloc(CAPACITY);
  #isClosed = false;

  private constructor(path: string) {
    // Without O_NONBLOCK this would wait for a writer, and a read for what it writes.
    this.#readFd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    this.writeFd = openSync(path, constants.O_WRONLY);
  }

  /** Undefined where there is nowhere to make one. */
  static open(): Pipe | undefined {
    let folder: string | undefined;
    try {
      folder = mkdtempSync(join(tmpdir(), "fieldpost-pipe-"));
      const path = join(folder, "pipe");
      execFileSync("mkfifo", [path], { stdio: "ignore" });
      return new Pipe(path);
    } catch {
      return undefined;
    } finally {
      if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
    }
  }

  /** All that is there. */
  read(): string {
    let text = "";
    while (!this.#isClosed) {
      const length = this.#readSome();
      text += this.#buffer.toString("latin1", 0, length);
      if (length < CAPACITY) break;
    }
    return text;
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    closeSync(this.#readFd);
  }

  /** 0 where nothing is there, or nobody is left who could write. */
  #readSome(): number {
    try {
      return readSync(this.#readFd, this.#buffer);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "EAGAIN") return 0;
      throw error;
    }
  }
}
