import { describe, expect, test } from "vitest";
import { GatewayError } from "../../../src/core/errors.ts";
import { SimulatedFiles } from "../../../src/hardware/simulated/files.ts";
import { filesContract } from "../../contracts/files.ts";

filesContract("simulated", async () => {
  let setting = "";
  return {
    root: "/sys",
    files: new SimulatedFiles({
      "/sys/name": "bme280\n",
      "/sys/empty": "",
      "/sys/lines": "a\nb\n",
      "/sys/setting": {
        read: () => setting,
        write(text) {
          setting = text;
        },
      },
      "/sys/big": "x".repeat(70_000),
      "/sys/nodes/b": "b\n",
      "/sys/nodes/a": "a\n",
      "/sys/nodes/c": "c\n",
      "/sys/link": { link: "/sys/nodes" },
    }),
    async [Symbol.asyncDispose]() {},
  };
});

describe("simulated files", () => {
  test("a content that is a function is asked at each read, and may fail", async () => {
    let reads = 0;
    const files = new SimulatedFiles({
      "/n": () => `${++reads}\n`,
      "/bad": () => {
        throw new GatewayError("FILE_IO", "EIO");
      },
    });
    expect([await files.read("/n"), await files.read("/n")]).toEqual(["1", "2"]);
    await expect(files.read("/bad")).rejects.toMatchObject({ code: "FILE_IO" });
  });

  test("text cannot be written: ACCESS_DENIED", async () => {
    await expect(new SimulatedFiles({ "/n": "1" }).write("/n", "2")).rejects.toMatchObject({ code: "ACCESS_DENIED" });
  });

  test("a removed directory takes its files with it, and what links to it leads nowhere", async () => {
    const files = new SimulatedFiles({ "/d/a": "1", "/d/b": "2", "/dd": "3", "/l": { link: "/d" } });
    files.remove("/d");
    expect(await files.list("/")).toEqual(["dd", "l"]);
    expect(await files.list("/l")).toEqual([]);
  });

  test("links that lead in a circle are NOT_FOUND", async () => {
    const files = new SimulatedFiles({ "/a": { link: "/b" }, "/b": { link: "/a" } });
    await expect(files.read("/a/x")).rejects.toMatchObject({ code: "NOT_FOUND" });
  });
});
