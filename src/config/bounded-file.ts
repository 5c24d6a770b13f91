import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { errnoName } from "../core/errors.ts";

/** A configuration is text that people write. */
export const MAX_FILE_BYTES = 2 ** 20;

const READ_WITHOUT_WAITING = constants.O_RDONLY | constants.O_NONBLOCK;
const TOO_BIG = "bigger than 1 MiB, which no configuration is: is this the right file?";
const NOT_UTF8 = "not UTF-8 text: save the file as UTF-8 (in an editor: encoding), without a trailing binary part";

/** The text of a file, or one sentence about why it is not to be had. */
export type FileText =
  | { readonly ok: true; readonly text: string; readonly mode: number }
  | {
      readonly ok: false;
      readonly message: string;
      readonly missing: boolean;
      readonly line?: number;
      readonly column?: number;
    };

/** Reads at most `MAX_FILE_BYTES`; what is bigger, or no regular file, is refused unread. */
export async function readBoundedText(file: string): Promise<FileText> {
  try {
    // Without O_NONBLOCK the opening of a FIFO would wait for its writer.
    await using handle = await open(file, READ_WITHOUT_WAITING);
    const stat = await handle.stat();
    if (!stat.isFile())
      return refused(stat.isDirectory() ? "this is a directory: name the file in it" : "this is not a regular file");
    if (stat.size > MAX_FILE_BYTES) return refused(TOO_BIG);
    const bytes = await readUpTo(handle, MAX_FILE_BYTES + 1);
    if (bytes.length > MAX_FILE_BYTES) return refused(TOO_BIG);
    return decode(bytes, stat.mode);
  } catch (error) {
    return { ok: false, ...openFailure(errnoName(error)) };
  }
}

async function readUpTo(handle: FileHandle, limit: number): Promise<Uint8Array> {
  const buffer = new Uint8Array(limit);
  let length = 0;
  while (length < limit) {
    const { bytesRead } = await handle.read(buffer, length, limit - length, length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return buffer.subarray(0, length);
}

/** UTF-8 without control characters, a byte order mark removed. */
export function decode(bytes: Uint8Array, mode = 0o600): FileText {
  const binary = bytes.findIndex(isBinary);
  if (looksLikeUtf16(bytes)) return refused("this is UTF-16: save the file as UTF-8", 1, 1);
  if (binary !== -1)
    return refused(
      "this is a binary file, or has a control character in it: a configuration is plain text",
      ...placeIn(bytes, binary),
    );
  try {
    return { ok: true, text: new TextDecoder("utf-8", { fatal: true }).decode(bytes), mode };
  } catch {
    const lossy = new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
    const before = lossy.slice(0, lossy.indexOf("\uFFFD"));
    const line = before.split("\n").length;
    return refused(NOT_UTF8, line, [...before.slice(before.lastIndexOf("\n") + 1)].length + 1);
  }
}

function isBinary(byte: number): boolean {
  return (byte < 0x20 && byte !== 0x09 && byte !== 0x0a && byte !== 0x0d) || byte === 0x7f;
}

function looksLikeUtf16([first, second]: Uint8Array): boolean {
  return (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff);
}

function placeIn(bytes: Uint8Array, offset: number): [line: number, column: number] {
  const before = new TextDecoder().decode(bytes.subarray(0, offset));
  return [before.split("\n").length, [...before.slice(before.lastIndexOf("\n") + 1)].length + 1];
}

function refused(message: string, line?: number, column?: number): FileText {
  return {
    ok: false,
    message,
    missing: false,
    ...(line !== undefined && { line }),
    ...(column !== undefined && { column }),
  };
}

function openFailure(errno: string | undefined): { message: string; missing: boolean } {
  switch (errno) {
    case "ENOENT":
    case "ENOTDIR":
      return { message: "there is no such file", missing: true };
    case "EACCES":
    case "EPERM":
      return {
        message: "not readable for this user: check owner and mode, and those of the folders above",
        missing: false,
      };
    default:
      return { message: `cannot be read (${errno ?? "unknown error"})`, missing: false };
  }
}
