import { isConfigError } from "../config/problems.ts";
import { render } from "../config/render.ts";
import { type ErrorCode, GatewayError, remedyFor } from "../core/errors.ts";
import { ReloadRequests } from "../service/reload-requests.ts";
import { EXIT, type ExitCode, type Io } from "./command.ts";
import { commandsFor } from "./commands.ts";
import { runProgram } from "./program.ts";
import { version } from "./version.ts";

/** Runs one command with the real world around it. Faults become a sentence and an exit code; bugs crash with their stack. */
export async function main(argv: readonly string[]): Promise<ExitCode> {
  const io = processIo();
  try {
    return await runProgram(await commandsFor(argv), argv, version(), io);
  } catch (error) {
    if (isConfigError(error)) {
      io.err(`${render(error.problems, { color: io.color })}\n`);
      return EXIT.usage;
    }
    if (!(error instanceof GatewayError)) throw error;
    io.err(`error: ${error.message}\n  ${remedyFor(error.code)}\n`);
    return exitCodeOf(error.code);
  }
}

/** Could not reach what it needed, against: asked for something that is wrong in itself. */
function exitCodeOf(code: ErrorCode): ExitCode {
  switch (code) {
    case "CONFIG_INVALID":
    case "DEVICE_UNKNOWN":
    case "USAGE_INVALID":
    case "REQUEST_INVALID":
    case "PKI_FAILED":
    case "BACKUP_FAILED":
      return EXIT.usage;
    case "BROKER_REFUSED":
    case "GATEWAY_ONLINE":
    case "STORE_NEWER":
      return EXIT.unwell;
    default:
      return EXIT.unreachable;
  }
}

function processIo(): Io {
  const stop = new AbortController();
  for (const name of ["SIGTERM", "SIGINT"] as const) process.once(name, () => stop.abort());
  const uid = process.getuid?.() ?? 0;
  const reloads = new ReloadRequests();
  // Installed for good: without a listener SIGHUP ends the process.
  process.on("SIGHUP", () => reloads.request());
  return {
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    color: process.stderr.isTTY === true && !process.env.NO_COLOR,
    env: process.env,
    uid,
    signal: stop.signal,
    onReload: (listener) => reloads.onRequest(listener),
  };
}
