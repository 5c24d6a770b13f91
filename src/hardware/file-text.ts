import { GatewayError } from "../core/errors.ts";

/** What one file may hold at most: attributes of the kernel are a page, files of /proc a few. */
export const MAX_FILE_BYTES = 64 * 1024;

/** The text as the port gives it: without the newline at the end. Throws FILE_IO where it is too long: half would lie. */
export function fileText(path: string, bytes: Buffer): string {
  if (bytes.length > MAX_FILE_BYTES)
    throw new GatewayError("FILE_IO", `${path} is larger than ${MAX_FILE_BYTES} bytes`);
  return bytes.toString("utf8").replace(/\n$/, "");
}
