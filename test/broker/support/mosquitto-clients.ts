import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";

/** Debian's `mosquitto_pub`; `to` are the options that say where the broker is. */
export function mosquittoPub(to: readonly string[], ...args: string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    execFile("mosquitto_pub", [...to, ...args], (error) => (error ? reject(error) : resolve()));
  });
}

/** A command that waits for messages: its standard output by lines, when it has ended. */
export interface Waiting {
  readonly child: ChildProcess;
  readonly lines: Promise<string[]>;
}

/** Debian's `mosquitto_sub`. */
export const mosquittoSub = (to: readonly string[], ...args: string[]): Waiting => wait("mosquitto_sub", to, args);

/** Debian's `mosquitto_rr`: publishes a request and waits for the response. */
export const mosquittoRr = (to: readonly string[], ...args: string[]): Waiting => wait("mosquitto_rr", to, args);

function wait(command: string, to: readonly string[], args: readonly string[]): Waiting {
  const child = spawn(command, [...to, "-W", "15", ...args]);
  let output = "";
  child.stdout.on("data", (chunk) => {
    output += chunk;
  });
  const lines = once(child, "close").then(() => output.split("\n").filter((line) => line !== ""));
  return { child, lines };
}
