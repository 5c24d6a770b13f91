import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test, vi } from "vitest";
import { linuxGpioTools } from "../../../src/hardware/linux/gpio-tools.ts";

const folder = mkdtempSync(join(tmpdir(), "fieldpost-tools-"));
afterAll(() => rmSync(folder, { recursive: true }));

const numbers = (count: number) => Array.from({ length: count }, (_, index) => String(index + 1));
/** Each `echo` is a write of its own, as each edge's line is of gpiomon. */
const echoes = (count: number) => `i=0; while [ $i -lt ${count} ]; do i=$((i+1)); echo $i; done`;

/** A shell stands for gpiomon. */
function shell(script: string, options: { readonly batchMs?: number }) {
  const lines: string[] = [];
  const waiting = new Map<string, () => void>();
  const tool = linuxGpioTools.start("sh", ["-c", script], {
    ...options,
    onLine(line) {
      lines.push(line);
      waiting.get(line)?.();
    },
  });
  const line = (text: string) => new Promise<void>((resolve) => waiting.set(text, resolve));
  return { tool, lines, line };
}

describe.each([{}, { batchMs: 200 }])("a tool's lines, with %j", (options) => {
  test("all come, in their order, while it goes on", async () => {
    const { tool, lines, line } = shell(`${echoes(1000)}; exec sleep 600`, options);
    const startedMs = performance.now();
    await line("1000");
    expect(lines).toEqual(numbers(1000));
    // One line a look would take 200 s.
    expect(performance.now() - startedMs).toBeLessThan(60_000);
    await tool.stop();
  });

  test("all come when it ends, the last one in halves", async () => {
    const { tool, lines } = shell("echo 1; printf 2; sleep 0.3; echo 3; exit 4", options);
    expect(await tool.ended).toMatchObject({ code: 4 });
    expect(lines).toEqual(["1", "23"]);
  });
});

test("without a place for a pipe, all lines come all the same", async () => {
  vi.stubEnv("TMPDIR", join(folder, "missing"));
  const { tool, lines } = shell(echoes(100), { batchMs: 200 });
  vi.unstubAllEnvs();
  await tool.ended;
  expect(lines).toEqual(numbers(100));
});

test("lines that are looked at in batches do not hold up the tool while we are busy", async () => {
  const mark = join(folder, "written");
  const { tool, lines, line } = shell(`${echoes(1000)}; touch ${mark}; exec sleep 600`, { batchMs: 100 });
  // Nothing is read while this waits: a socket would be full after 278 lines.
  execFileSync("sh", ["-c", `until [ -e ${mark} ]; do sleep 0.05; done`], { timeout: 30_000 });
  expect(lines).toEqual([]);
  await line("1000");
  expect(lines).toEqual(numbers(1000));
  await tool.stop();
});
