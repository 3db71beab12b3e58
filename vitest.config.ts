import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          sequence: { groupOrder: 0 },
          include: ["test/unit/**/*.test.ts"],
          // A busy machine is not a failure.
          testTimeout: 60_000,
        },
      },
      {
        test: {
          name: "redis",
          sequence: { groupOrder: 1 },
          include: ["test/redis/**/*.test.ts"],
          globalSetup: ["test/support/redis-server.ts"],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          maxWorkers: 2,
        },
      },
    ],
  },
});
