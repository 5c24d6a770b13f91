import { createPrivateKey, X509Certificate } from "node:crypto";
import { access, constants, readFile, stat } from "node:fs/promises";
import { errnoName } from "../core/errors.ts";

/** More is no certificate, and is not looked at. */
const MAX_PEM_BYTES = 2 ** 20;

/** What is wrong with a file that the configuration names: the program cannot start without it, or it will be of no use. */
export interface FileFault {
  readonly fatal: boolean;
  readonly message: string;
}

/** Looks at a file as far as its key in the configuration says what is in it: `ca`, `cert` and `key` are PEM. */
export async function faultOfFile(file: string, key: string | number | undefined): Promise<FileFault | undefined> {
  const errno = await access(file, constants.R_OK).then(() => undefined, errnoName);
  if (errno !== undefined) {
    return { fatal: true, message: errno === "EACCES" ? `this user cannot read ${file}` : `there is no file ${file}` };
  }
  const { size, isFile } = await stat(file).then((found) => ({ size: found.size, isFile: found.isFile() }));
  if (!isFile) return { fatal: true, message: `${file} is not a file` };
  const parse = key === "key" ? createPrivateKey : key === "cert" || key === "ca" ? certificateOf : undefined;
  if (!parse || size > MAX_PEM_BYTES) return undefined;
  try {
    parse(await readFile(file, "utf8"));
    return undefined;
  } catch {
    const wanted = key === "key" ? "an unencrypted private key" : "a certificate";
    return { fatal: false, message: `${file} is not ${wanted} in PEM format: no connection will come about with it` };
  }
}

function certificateOf(text: string): X509Certificate {
  return new X509Certificate(text);
}
