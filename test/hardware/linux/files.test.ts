import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { linuxFiles } from "../../../src/hardware/linux/files.ts";
import { filesContract } from "../../contracts/files.ts";

async function tree() {
  const top = await mkdtemp(join(tmpdir(), "fieldpost-files-"));
  await mkdir(join(top, "sys/nodes"), { recursive: true });
  const contents = { name: "bme280\n", empty: "", lines: "a\nb\n", setting: "", big: "x".repeat(70_000) };
  for (const [name, content] of Object.entries(contents)) await writeFile(join(top, "sys", name), content);
  for (const name of ["b", "a", "c"]) await writeFile(join(top, "sys/nodes", name), `${name}\n`);
  await symlink("nodes", join(top, "sys/link"));
  return { top, [Symbol.asyncDispose]: () => rm(top, { recursive: true }) };
}

filesContract("linux, rooted in a directory", async () => {
  const { top, [Symbol.asyncDispose]: dispose } = await tree();
  return { files: linuxFiles(top), root: "/sys", [Symbol.asyncDispose]: dispose };
});

filesContract("linux, at the machine's root", async () => {
  const { top, [Symbol.asyncDispose]: dispose } = await tree();
  return { files: linuxFiles(), root: `${top}/sys`, [Symbol.asyncDispose]: dispose };
});

describe("files below a root", () => {
  test("a link that leads out is ACCESS_DENIED", async () => {
    await using disk = await tree();
    await symlink("/etc", join(disk.top, "sys/out"));
    await symlink("../../../../../../etc/hostname", join(disk.top, "sys/hostname"));
    const files = linuxFiles(disk.top);
    await expect(files.read("/sys/out/hostname")).rejects.toMatchObject({ code: "ACCESS_DENIED" });
    await expect(files.read("/sys/hostname")).rejects.toMatchObject({ code: "ACCESS_DENIED" });
    await expect(files.list("/sys/out")).rejects.toMatchObject({ code: "ACCESS_DENIED" });
    await expect(files.resolve("/sys/out")).rejects.toMatchObject({ code: "ACCESS_DENIED" });
  });

  test("`..` ends at the root", async () => {
    await using disk = await tree();
    expect(await linuxFiles(disk.top).read("/../../sys/../sys/name")).toBe("bme280");
    expect(await linuxFiles(disk.top).read("sys/name")).toBe("bme280");
  });

  test("a neighbour whose name begins like the root is outside", async () => {
    await using disk = await tree();
    await mkdir(join(disk.top, "sysfs"));
    await writeFile(join(disk.top, "sysfs/secret"), "1");
    await symlink("../sysfs/secret", join(disk.top, "sys/secret"));
    await expect(linuxFiles(join(disk.top, "sys")).read("/secret")).rejects.toMatchObject({ code: "ACCESS_DENIED" });
  });

  test("a root that does not exist is NOT_FOUND, and an empty list", async () => {
    const files = linuxFiles("/nonexistent/root");
    await expect(files.read("/name")).rejects.toMatchObject({ code: "NOT_FOUND" });
    expect(await files.list("/")).toEqual([]);
  });

  test("what is not there is not writable", async () => {
    await using disk = await tree();
    const files = linuxFiles(disk.top);
    expect(await files.writable("/sys/setting")).toBe(true);
    expect(await files.writable("/sys/absent")).toBe(false);
  });
});

describe("this machine's kernel", () => {
  const files = linuxFiles();

  test("files of /proc, which have no size, are read", async () => {
    expect(await files.read("/proc/sys/kernel/random/boot_id")).toMatch(/^[0-9a-f-]{36}$/);
    expect(await files.read("/proc/meminfo")).toContain("MemTotal");
  });

  test("a value that the kernel refuses is FILE_IO or ACCESS_DENIED, with its errno", async () => {
    const error = await files.write("/proc/self/oom_score_adj", "nonsense").catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: "FILE_IO", message: "/proc/self/oom_score_adj: EINVAL" });
  });
});
