import { execFileSync } from "node:child_process";

/** Builds `dist` once before the tests, so that they never run yesterday's worker threads. */
export default function setup(): void {
  execFileSync("npx", ["--no-install", "tsc", "-p", "tsconfig.build.json"], { stdio: "inherit" });
}
