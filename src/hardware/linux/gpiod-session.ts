import type { Clock } from "../../core/clock.ts";
import { type ErrorCode, GatewayError } from "../../core/errors.ts";
import type { Level, Pull } from "../gpio.ts";
import type { GpioTools, RunningTool, ToolOptions, ToolResult } from "./gpio-tools.ts";
import type { Dialect, ToolLine } from "./gpiod-dialect.ts";

/** What a claimed line needs of the world. */
export interface Session {
  readonly tools: GpioTools;
  readonly dialect: Dialect;
  readonly clock: Pick<Clock, "monoMs" | "sleep">;
  /** CLOCK_MONOTONIC now, on which the kernel stamps edges. */
  readonly kernelNowMs: () => number;
}

const LOOK_EVERY_MS = 5;
/** On a busy Pi Zero a program takes its time to start. */
const READY_WITHIN_MS = 5000;

/** The level of a line that nobody holds. */
export async function readLevel({ tools, dialect }: Session, line: ToolLine, pull?: Pull): Promise<Level> {
  const result = await tools.run("gpioget", dialect.get(line, pull));
  if (result.code !== 0) throw toolFault("gpioget", line, result);
  return result.stdout.trim() === "1" ? 1 : 0;
}

/** Resolves once the tool holds its line. */
export async function startHolding(
  { tools, clock }: Session,
  line: ToolLine,
  [tool, args, options]: readonly [tool: string, args: readonly string[], options: ToolOptions],
): Promise<RunningTool> {
  const running = tools.start(tool, args, options);
  let end: Omit<ToolResult, "stdout"> | undefined;
  void running.ended.then((result) => {
    end = result;
  });
  const untilMs = clock.monoMs() + READY_WITHIN_MS;
  while (!(await running.holdsLine())) {
    if (end) throw toolFault(tool, line, end);
    if (clock.monoMs() >= untilMs) {
      await running.stop();
      throw new GatewayError("FILE_IO", `pin ${line.pin}: ${tool} was not ready within ${READY_WITHIN_MS} ms`);
    }
    await clock.sleep(LOOK_EVERY_MS);
  }
  return running;
}

/** What a tool that ended says, as an error of the port. */
export function toolFault(tool: string, { pin }: ToolLine, { code, stderr }: Omit<ToolResult, "stdout">): GatewayError {
  const [said = ""] = stderr.split("\n");
  return new GatewayError(codeOf(said), `pin ${pin}: ${said || `${tool} ended with ${code ?? "a signal"}`}`);
}

function codeOf(said: string): ErrorCode {
  if (/resource busy/i.test(said)) return "PIN_BUSY";
  if (/permission denied|not permitted/i.test(said)) return "ACCESS_DENIED";
  if (/failed to execute|setpriv/.test(said)) return "TOOL_MISSING";
  return "FILE_IO";
}
