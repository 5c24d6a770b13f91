import { defineConfig } from "vitest/config";

// biome-ignore lint/style/noDefaultExport: vitest takes its configuration so.
export default defineConfig({
  test: {
    root: import.meta.dirname,
    include: ["*.system.ts"],
    globalSetup: ["../build.ts", "boot.ts"],
    pool: "forks",
    // One guest, one after the other.
    fileParallelism: false,
    testTimeout: 180_000,
    hookTimeout: 180_000,
  },
});
