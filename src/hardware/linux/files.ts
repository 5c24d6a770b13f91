import { constants } from "node:fs";
import { access, type FileHandle, open, readdir, realpath, statfs } from "node:fs/promises";
import { join, resolve } from "node:path";
import { type ErrorCode, GatewayError, isGatewayError } from "../../core/errors.ts";
import { fileText, MAX_FILE_BYTES } from "../file-text.ts";
import type { KernelFiles } from "../files.ts";
import { limiter } from "../queue.ts";
import { systemFault } from "./errno.ts";

export interface LinuxFiles extends KernelFiles {
  /** May this process read and write the file? */
  writable(path: string): Promise<boolean>;
}

const CHUNK_BYTES = 4096;

/** A read of these takes the kernel a second, in which a thread of the pool waits: some must be left for the buses. */
const SLOW = "/sys/bus/w1/";
const SLOW_AT_A_TIME = 4;

const codeOfFault: Readonly<Record<string, ErrorCode>> = {
  ENOENT: "NOT_FOUND",
  ENODEV: "NOT_FOUND",
  ENXIO: "NOT_FOUND",
  ENOTDIR: "NOT_FOUND",
  EACCES: "ACCESS_DENIED",
  EPERM: "ACCESS_DENIED",
  EROFS: "ACCESS_DENIED",
};

/** The files below `root`, and nothing outside of it, whatever `..` and links say. Never creates a file. */
export function linuxFiles(root = "/"): LinuxFiles {
  const slowly = limiter(SLOW_AT_A_TIME);
  let base: Promise<string> | undefined;
  const top = () => {
    base ??= realpath(root);
    return base;
  };
  const at = <T>(path: string, use: (onDisk: string) => Promise<T>) =>
    contained(path, async () => await use(await locate(await top(), path)));

  return {
    read(path) {
      const read = () => at(path, async (onDisk) => fileText(path, await readLimited(onDisk)));
      return path.startsWith(SLOW) ? slowly(read) : read();
    },
    write: (path, text) => at(path, (onDisk) => writeOnce(onDisk, Buffer.from(text))),
    async list(path) {
      try {
        return (await at(path, (onDisk) => readdir(onDisk))).sort();
      } catch (error) {
        if (isGatewayError(error, "NOT_FOUND")) return [];
        throw error;
      }
    },
    resolve: (path) => at(path, async (onDisk) => withoutTop(await top(), await realpath(onDisk))),
    space: (path) =>
      at(path, async (onDisk) => {
        const { bsize, blocks, bavail } = await statfs(onDisk);
        return { totalBytes: bsize * blocks, freeBytes: bsize * bavail };
      }),
    writable: (path) =>
      at(path, (onDisk) => access(onDisk, constants.R_OK | constants.W_OK)).then(
        () => true,
        () => false,
      ),
  };
}

/** Where the path is on this machine. `..` ends at the top, and so must links. */
async function locate(top: string, path: string): Promise<string> {
  const inside = resolve("/", path);
  if (top === "/") return inside;
  const real = await realpath(join(top, inside));
  if (real === top || real.startsWith(`${top}/`)) return real;
  throw new GatewayError("ACCESS_DENIED", `${path} leads out of ${top}`);
}

function withoutTop(top: string, real: string): string {
  return top === "/" ? real : resolve("/", `.${real.slice(top.length)}`);
}

async function contained<T>(path: string, use: () => Promise<T>): Promise<T> {
  try {
    return await use();
  } catch (cause) {
    if (isGatewayError(cause)) throw cause;
    const { name } = systemFault(cause);
    throw new GatewayError(codeOfFault[name] ?? "FILE_IO", `${path}: ${name}`, { cause });
  }
}

/** Up to the end or one byte beyond the limit. A file of the kernel does not know its size before it is read. */
async function readLimited(path: string): Promise<Buffer> {
  await using handle = await open(path, constants.O_RDONLY);
  const chunks: Buffer[] = [];
  for (let total = 0; total <= MAX_FILE_BYTES; ) {
    const { bytesRead, buffer } = await readChunk(handle);
    if (bytesRead === 0) break;
    total += bytesRead;
    chunks.push(buffer.subarray(0, bytesRead));
  }
  return Buffer.concat(chunks);
}

async function readChunk(handle: FileHandle): Promise<{ bytesRead: number; buffer: Buffer }> {
  return await handle.read(Buffer.alloc(CHUNK_BYTES), 0, CHUNK_BYTES, null);
}

/** The kernel takes an attribute's value in one write or not at all. */
async function writeOnce(path: string, bytes: Buffer): Promise<void> {
  await using handle = await open(path, constants.O_WRONLY | constants.O_TRUNC);
  const { bytesWritten } = await handle.write(bytes);
  if (bytesWritten !== bytes.length) {
    throw new GatewayError("FILE_IO", `${path} took ${bytesWritten} of ${bytes.length} bytes`);
  }
}
