import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    // Worker threads and spawned commands run the built program: Node 20 does not load TypeScript by itself.
    globalSetup: ["test/build.ts"],
    // One process a file: the epoll addon under onoff crashes Node when it is loaded twice in one process.
    pool: "forks",
    // The default leaves a core free; many files wait for brokers more than they compute.
    maxWorkers: "100%",
    // They wait for conditions, and a machine may be busy: a hang is found, and nothing is timed.
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
