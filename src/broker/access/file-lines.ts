import { GatewayError } from "../../core/errors.ts";

/** Lines of Mosquitto's files that say something, with their numbers: no blank ones, no comments. */
export function linesOf(text: string): { line: string; number: number }[] {
  return text
    .split("\n")
    .map((line, index) => ({ line: line.replace(/\r$/, ""), number: index + 1 }))
    .filter(({ line }) => line.trim() !== "" && !line.startsWith("#"));
}

export function lineFault(file: string, number: number, what: string): GatewayError {
  return new GatewayError("CONFIG_INVALID", `${file}:${number}: ${what}`);
}
