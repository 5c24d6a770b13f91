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
    // The emulator shares its cores with whatever else runs: waiting long costs nothing where all is well.
    testTimeout: 600_000,
    hookTimeout: 600_000,
  },
});
