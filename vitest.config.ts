import { tmpdir } from "node:os";
import { join } from "node:path";
import { defineConfig } from "vitest/config";

// A file that the machine-readable report of a run goes to, beside what the run prints.
const reportFile = process.env.WEFT_TEST_REPORT || undefined;

export default defineConfig({
  test: {
    // Real servers, processes and worker threads: each file in a process of its own, and no more at once than the
    // smallest machine has cores.
    pool: "forks",
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // Commands that tests start as processes: those that strip the types of each module anew take twice as long to start.
    env: { NODE_COMPILE_CACHE: join(tmpdir(), "node-compile-cache") },
    reporters: reportFile === undefined ? ["default"] : ["default", ["json", { outputFile: reportFile }]],
    projects: [
      {
        extends: true,
        test: {
          name: "main",
          globalSetup: "test/setup.ts",
          include: ["packages/*/test/**/*.test.ts", "examples/*/test/**/*.test.ts", "test/**/*.test.ts"],
          exclude: ["**/node_modules/**", "test/containers/**"],
        },
      },
      {
        extends: true,
        test: {
          name: "containers",
          globalSetup: "test/containers/setup.ts",
          include: ["test/containers/**/*.test.ts"],
          // One engine, and the suites build images of the same names.
          fileParallelism: false,
          testTimeout: 180_000,
          hookTimeout: 300_000,
        },
      },
    ],
  },
});
