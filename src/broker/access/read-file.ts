import { open } from "node:fs/promises";
import { errnoName, GatewayError } from "../../core/errors.ts";

/** Tens of thousands of users, or rules. */
const MAX_BYTES = 4 * 1024 * 1024;

/** Throws GatewayError CONFIG_INVALID with the file's name. */
export async function readAccessFile(file: string): Promise<string> {
  const bytes = await readBytes(file);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (error) {
    throw new GatewayError("CONFIG_INVALID", `${file}: not UTF-8 text`, { cause: error });
  }
}

async function readBytes(file: string): Promise<Buffer> {
  try {
    await using handle = await open(file);
    const { size } = await handle.stat();
    if (size > MAX_BYTES) throw new GatewayError("CONFIG_INVALID", `${file}: ${size} bytes are more than ${MAX_BYTES}`);
    return await handle.readFile();
  } catch (error) {
    if (error instanceof GatewayError) throw error;
    throw new GatewayError("CONFIG_INVALID", `${file}: cannot be read (${errnoName(error) ?? "unknown error"})`, {
      cause: error,
    });
  }
}
