import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { LastWill } from "../../src/wiring/last-will.ts";
import { fakeLog } from "../fakes/log.ts";

const hook = join(import.meta.dirname, "../../systemd/safe-outputs");
let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "fieldpost-will-"));
});
afterEach(() => rm(directory, { recursive: true }));

const text = () => readFile(join(directory, "last-will"), "utf8");

/** The unit's stop hook, with a command that tells that it was asked. */
function runHook(): Promise<{ code: number; stdout: string }> {
  return new Promise((resolve) => {
    const env = { PATH: process.env.PATH, RUNTIME_DIRECTORY: directory };
    execFile("/bin/sh", [hook, "echo", "the slow way"], { env }, (error, stdout) =>
      resolve({ code: typeof error?.code === "number" ? error.code : 0, stdout: stdout.trim() }),
    );
  });
}

describe("the last will", () => {
  test("has a line for each output that is not safe by itself, and is empty where there is none", async () => {
    const will = new LastWill(join(directory, "last-will"), fakeLog());
    will.save();
    expect(await text()).toBe("");
    will.set("pump", "open");
    will.set("valve", "open");
    will.set("pump", { path: "/sys/class/gpio/gpio534/value", text: "0" });
    expect(await text()).toBe("/sys/class/gpio/gpio534/value 0\nopen valve\n");
    will.set("valve", "nothing");
    expect(await text()).toBe("/sys/class/gpio/gpio534/value 0\n");
  });

  test("of an earlier process is gone: it may be of another configuration", async () => {
    await writeFile(join(directory, "last-will"), "/sys/class/gpio/gpio534/value 0\n");
    expect(new LastWill(join(directory, "last-will"), fakeLog())).toBeDefined();
    await expect(text()).rejects.toMatchObject({ code: "ENOENT" });
  });
});

test("a last will that cannot be written ends nothing: the one of before is taken away, and the hook goes the slow way", async () => {
  const log = fakeLog();
  const will = new LastWill(join(directory, "last-will"), log);
  will.set("pump", { path: "/sys/class/gpio/gpio534/value", text: "0" });
  await mkdir(join(directory, "last-will.new"));
  will.set("pump", { path: "/sys/class/gpio/gpio534/value", text: "1" });
  expect(log.lines).toMatchObject([{ level: "warn", message: expect.stringContaining("could not be written") }]);
  expect(await runHook()).toEqual({ code: 0, stdout: "the slow way" });
});

describe("the unit's stop hook", () => {
  test("has nothing to do where the will is empty", async () => {
    new LastWill(join(directory, "last-will"), fakeLog()).save();
    expect(await runHook()).toEqual({ code: 0, stdout: "" });
  });

  test.each([
    ["there is no will", undefined],
    ["a device has to be opened", "open valve\n"],
    ["a file cannot be written", "/sys/class/gpio/gpio99999/value 0\n"],
    ["a line is none of ours", "/etc/passwd 0\n"],
  ])("goes the slow way where %s", async (_, will) => {
    if (will !== undefined) await writeFile(join(directory, "last-will"), will);
    expect(await runHook()).toEqual({ code: 0, stdout: "the slow way" });
  });

  test("writes what the will says before it goes the slow way", async () => {
    const will = new LastWill(join(directory, "last-will"), fakeLog());
    will.set("valve", "open");
    // Nothing under /sys is ours to write in a test; the hook goes by how the path begins.
    const file = join(directory, "value");
    await writeFile(file, "1\n");
    will.set("pump", { path: `/sys/../${file}`, text: "0" });
    expect(await runHook()).toEqual({ code: 0, stdout: "the slow way" });
    expect(await readFile(file, "utf8")).toBe("0\n");
  });
});
