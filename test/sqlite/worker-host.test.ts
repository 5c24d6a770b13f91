import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { isGatewayError } from "../../src/core/errors.ts";
import { startWorker, workerFile } from "../../src/sqlite/worker-host.ts";

interface TestCalls {
  add(a: number, b: number): number;
  slow(): Promise<string>;
  full(): never;
  bug(): never;
  crash(): void;
  exit(): void;
}

const serve = workerFile(pathToFileURL(join(process.cwd(), "src/sqlite/serve.ts")).href, "serve");
const WORKER = `
  import { serve } from ${JSON.stringify(serve.href)};
  serve({
    add: (a, b) => a + b,
    slow: () => new Promise((resolve) => setTimeout(resolve, 20, "slow")),
    full: () => { throw Object.assign(new Error("disk full"), { code: "SQLITE_FULL" }); },
    bug: () => undefined.x,
    crash: () => { setImmediate(() => { throw new Error("boom"); }); return new Promise(() => {}); },
    exit: () => process.exit(3),
    close() {},
  });`;

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "fieldpost-worker-"));
  writeFileSync(join(dir, "worker.mjs"), WORKER);
});
afterEach(() => rmSync(dir, { recursive: true }));

const start = () => startWorker<TestCalls>(pathToFileURL(join(dir, "worker.mjs")), {});

describe("a worker host", () => {
  it("answers each call with its own result, whatever the order they end in", async () => {
    await using host = start();
    const slow = host.call("slow");
    expect(await host.call("add", 1, 2)).toBe(3);
    expect(await slow).toBe("slow");
  });

  it("carries errors across with their code, and bugs as they are", async () => {
    await using host = start();
    await expect(host.call("full")).rejects.toMatchObject({ code: "STORE_FULL" });
    await expect(host.call("bug")).rejects.toThrow("Cannot read properties of undefined");
    expect(await host.call("add", 1, 2)).toBe(3);
  });

  it.each(["crash", "exit"] as const)("rejects what waits and what comes after a %s", async (how) => {
    await using host = start();
    const error = await host.call(how).catch((thrown: unknown) => thrown);
    expect(isGatewayError(error, "STORE_IO")).toBe(true);
    expect(host.alive).toBe(false);
    await expect(host.call("add", 1, 2)).rejects.toMatchObject({ code: "STORE_IO" });
  });

  it("ends the thread when it is disposed", async () => {
    const host = start();
    await host[Symbol.asyncDispose]();
    expect(host.alive).toBe(false);
  });

  it("finds the compiled worker from the sources and from the build", () => {
    expect(workerFile("file:///opt/app/src/store/client.ts", "store-worker").pathname).toBe(
      "/opt/app/dist/store/store-worker.js",
    );
    expect(workerFile("file:///opt/app/dist/store/client.js", "store-worker").pathname).toBe(
      "/opt/app/dist/store/store-worker.js",
    );
  });
});
