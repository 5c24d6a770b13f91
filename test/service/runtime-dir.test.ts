import { chmodSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ensureRuntimeDir } from "../../src/service/runtime-dir.ts";

const uid = process.getuid?.() ?? 0;
let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "fieldpost-"));
});
afterEach(() => rmSync(directory, { recursive: true }));

test("the runtime directory is made for this user alone, and found again", () => {
  const path = join(directory, "deep", "run");
  ensureRuntimeDir(path, uid);
  ensureRuntimeDir(path, uid);
  expect(statSync(path).mode & 0o777).toBe(0o700);
});

test("a runtime directory that others own or may write to is refused", () => {
  expect(() => ensureRuntimeDir(directory, uid + 1)).toThrow(expect.objectContaining({ code: "RUNTIME_DIRECTORY" }));
  chmodSync(directory, 0o777);
  expect(() => ensureRuntimeDir(directory, uid)).toThrow("not a private directory");
});

test("what is in the way of the runtime directory is named", () => {
  const file = join(directory, "file");
  writeFileSync(file, "");
  for (const path of [file, join(file, "run")]) {
    expect(() => ensureRuntimeDir(path, uid)).toThrow(expect.objectContaining({ code: "RUNTIME_DIRECTORY" }));
    expect(() => ensureRuntimeDir(path, uid)).toThrow(file);
  }
});
