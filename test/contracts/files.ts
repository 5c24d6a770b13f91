import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { KernelFiles } from "../../src/hardware/files.ts";

/**
 * Files with this below `root`: `name` ("bme280\n", read-only), `empty` (""), `lines` ("a\nb\n"), `setting` (holds what
 * was written), `big` (70000 bytes), the directory `nodes` with `b`, `a` and `c`, and `link`, which leads to `nodes`.
 */
export interface FilesSubject extends AsyncDisposable {
  readonly files: KernelFiles;
  readonly root: string;
}

export function filesContract(name: string, openSubject: () => Promise<FilesSubject>): void {
  describe(`kernel files: ${name}`, () => {
    let subject: FilesSubject;
    let files: KernelFiles;
    let root: string;
    beforeEach(async () => {
      subject = await openSubject();
      ({ files, root } = subject);
    });
    afterEach(() => subject[Symbol.asyncDispose]());

    test("a file is read without the newline at its end, and only that", async () => {
      expect(await files.read(`${root}/name`)).toBe("bme280");
      expect(await files.read(`${root}/lines`)).toBe("a\nb");
      expect(await files.read(`${root}/empty`)).toBe("");
    });

    test("what is written replaces what was there", async () => {
      await files.write(`${root}/setting`, "a longer text");
      await files.write(`${root}/setting`, "both");
      expect(await files.read(`${root}/setting`)).toBe("both");
    });

    test("a file that is not there is NOT_FOUND to read and to write, and is not created", async () => {
      await expect(files.read(`${root}/absent`)).rejects.toMatchObject({ code: "NOT_FOUND" });
      await expect(files.write(`${root}/absent`, "1")).rejects.toMatchObject({ code: "NOT_FOUND" });
      await expect(files.read(`${root}/absent`)).rejects.toMatchObject({ code: "NOT_FOUND" });
    });

    test("a path through a file is NOT_FOUND", async () => {
      await expect(files.read(`${root}/name/value`)).rejects.toMatchObject({ code: "NOT_FOUND" });
    });

    test("a directory is FILE_IO to read", async () => {
      await expect(files.read(`${root}/nodes`)).rejects.toMatchObject({ code: "FILE_IO" });
    });

    test("more than 64 KiB is FILE_IO", async () => {
      await expect(files.read(`${root}/big`)).rejects.toMatchObject({ code: "FILE_IO" });
    });

    test("a directory is listed sorted; no directory is an empty list", async () => {
      expect(await files.list(`${root}/nodes`)).toEqual(["a", "b", "c"]);
      expect(await files.list(`${root}/absent`)).toEqual([]);
    });

    test("a link is followed by reading and listing, and resolved to where it leads", async () => {
      expect(await files.read(`${root}/link/a`)).toBe("a");
      expect(await files.list(`${root}/link`)).toEqual(["a", "b", "c"]);
      expect(await files.resolve(`${root}/link/a`)).toBe(await files.resolve(`${root}/nodes/a`));
      await expect(files.resolve(`${root}/absent`)).rejects.toMatchObject({ code: "NOT_FOUND" });
    });

    test("space is told of the file system that holds a path", async () => {
      const { totalBytes, freeBytes } = await files.space(root || "/");
      expect(totalBytes).toBeGreaterThan(0);
      expect(freeBytes).toBeLessThanOrEqual(totalBytes);
      await expect(files.space(`${root}/absent`)).rejects.toMatchObject({ code: "NOT_FOUND" });
    });

    test("no path leads out of the root", async () => {
      expect(await files.read(`${root}/nodes/../name`)).toBe("bme280");
      await expect(files.read("/../../../../../../../../etc/absent-here")).rejects.toMatchObject({ code: "NOT_FOUND" });
    });
  });
}
