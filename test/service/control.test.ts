import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { GatewayError } from "../../src/core/errors.ts";
import { askService } from "../../src/service/control-client.ts";
import { type ControlHandlers, openControlServer } from "../../src/service/control-server.ts";
import { fakeLog } from "../fakes/log.ts";

const STORE = "/var/lib/überpost";
let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "fieldpost-control-"));
});
afterEach(() => rmSync(directory, { recursive: true }));

const open = (handlers: ControlHandlers) => openControlServer(join(directory, "s"), STORE, handlers, fakeLog());

describe("the control socket", () => {
  test("carries a question and its answer", async () => {
    await using server = await open({ echo: async (body) => ({ got: body }) });
    expect(await askService([server.path], STORE, "echo", { a: [1] })).toEqual({ got: { a: [1] } });
  });

  test("is for the service's group and nobody else", async () => {
    await using server = await open({});
    expect(statSync(server.path).mode & 0o777).toBe(0o660);
  });

  test("carries a fault with its code and sentence", async () => {
    await using server = await open({
      fail: async () => {
        throw new GatewayError("DEVICE_UNKNOWN", "no device called x");
      },
    });
    await expect(askService([server.path], STORE, "fail", {})).rejects.toMatchObject({
      code: "DEVICE_UNKNOWN",
      message: "no device called x",
    });
  });

  test("refuses what it does not know, and what is too long", async () => {
    await using server = await open({ echo: async (body) => body });
    await expect(askService([server.path], STORE, "constructor", {})).rejects.toMatchObject({ code: "NOT_FOUND" });
    await expect(askService([server.path], STORE, "echo", "x".repeat(100_000))).rejects.toThrow();
    expect(await askService([server.path], STORE, "echo", "fine")).toBe("fine");
  });

  test("of another store is not taken for ours", async () => {
    await using server = await open({ echo: async (body) => body });
    await expect(askService([server.path], "/elsewhere", "echo", {})).rejects.toMatchObject({
      code: "SERVICE_UNREACHABLE",
    });
  });

  test("says so when the service ends before it answers", async () => {
    const dying = createServer((socket) => socket.once("data", () => socket.destroy()));
    const path = join(directory, "dying");
    await new Promise<void>((resolve) => dying.listen(path, resolve));
    await expect(askService([path], STORE, "status", {})).rejects.toMatchObject({ code: "SERVICE_UNREACHABLE" });
    await new Promise((resolve) => dying.close(resolve));
  });

  test("says so when no service is there", async () => {
    await expect(askService([join(directory, "none")], STORE, "echo", {})).rejects.toMatchObject({
      code: "SERVICE_UNREACHABLE",
    });
  });

  test("takes the place of a socket that a killed service left", async () => {
    const path = join(directory, "s");
    const listenAndDie = `require("net").createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 9))`;
    spawnSync(process.execPath, ["-e", listenAndDie]);
    expect(existsSync(path)).toBe(true);
    await using server = await open({ echo: async (body) => body });
    expect(await askService([server.path], STORE, "echo", 1)).toBe(1);
  });

  test("does not take the place of a service that lives", async () => {
    await using server = await open({ echo: async (body) => body });
    await expect(open({})).rejects.toMatchObject({ code: "STORE_LOCKED" });
    expect(await askService([server.path], STORE, "echo", 1)).toBe(1);
  });
});
