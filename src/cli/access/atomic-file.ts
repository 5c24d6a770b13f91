import { chown, open, readFile, realpath, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { errnoName, GatewayError } from "../../core/errors.ts";

/** Empty where there is no such file. */
export async function readOrEmpty(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    if (errnoName(error) === "ENOENT") return "";
    throw fault(file, "read", error);
  }
}

/** All of it or nothing, keeping mode and owner; a new file belongs to the folder's group, so that the service can read it. */
export async function replaceFile(file: string, text: string): Promise<void> {
  try {
    const target = await realpath(file).catch(() => file);
    const old = await stat(target).catch(() => undefined);
    const folder = await stat(dirname(target));
    const isRoot = process.getuid?.() === 0;
    const next = `${target}.${process.pid}.new`;
    try {
      {
        await using handle = await open(next, "wx", 0o600);
        await handle.writeFile(text);
        if (isRoot) await chown(next, old?.uid ?? 0, old?.gid ?? folder.gid);
        await handle.chmod(old ? old.mode & 0o7777 : isRoot ? 0o640 : 0o600);
        await handle.sync();
      }
      await rename(next, target);
    } catch (error) {
      await rm(next, { force: true });
      throw error;
    }
  } catch (error) {
    throw fault(file, "written", error);
  }
}

function fault(file: string, what: string, error: unknown): GatewayError {
  const why = errnoName(error) ?? "unknown error";
  return new GatewayError("USAGE_INVALID", `${file}: cannot be ${what} (${why})`, { cause: error });
}
