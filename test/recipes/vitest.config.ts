import { defineConfig } from "vitest/config";

// biome-ignore lint/style/noDefaultExport: vitest takes its configuration so.
export default defineConfig({
  test: {
    root: import.meta.dirname,
    include: ["*.recipe.ts"],
    globalSetup: ["../build.ts"],
    pool: "forks",
    testTimeout: 300_000,
    hookTimeout: 300_000,
  },
});
