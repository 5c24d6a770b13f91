import { execFile } from "node:child_process";
import { errnoName, GatewayError } from "../core/errors.ts";

/** Runs the openssl tool in the directory. Throws GatewayError TOOL_MISSING where there is none, PKI_FAILED with what it says. */
export function openssl(directory: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile("openssl", args, { cwd: directory, timeout: 60_000 }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else if (errnoName(error) === "ENOENT")
        reject(new GatewayError("TOOL_MISSING", "certificates are made with openssl, which is not installed"));
      else reject(new GatewayError("PKI_FAILED", `openssl ${args[0]} failed: ${reasonIn(stderr)}`, { cause: error }));
    });
  });
}

/** Its first line that says more than what it was doing. */
function reasonIn(stderr: string): string {
  const lines = stderr
    .split("\n")
    .filter((line) => line.trim() !== "" && !/^(Using configuration|Check that)/.test(line));
  return lines[0] ?? "it does not say why";
}
