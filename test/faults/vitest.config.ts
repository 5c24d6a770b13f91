import { defineConfig } from "vitest/config";

// biome-ignore lint/style/noDefaultExport: vitest takes its configuration so.
export default defineConfig({
  test: {
    root: import.meta.dirname,
    include: ["*.faults.ts"],
    globalSetup: ["../build.ts"],
    pool: "forks",
    // One campaign after the other: each wants the machine, and its figures, for itself.
    fileParallelism: false,
    testTimeout: 3_600_000,
    hookTimeout: 120_000,
  },
});
