/** The tests whose outcome may depend on how fast the machine is: storms, faults within Cognito's 5 s, rotations under load. */
import { defineConfig } from "vitest/config";
import usual from "./vitest.config.mts";

export default defineConfig({
  test: {
    ...usual.test,
    include: ["tests/**/*.stress.test.ts"],
    exclude: [],
    // One core for the test, and one for the servers and containers that it starts.
    maxWorkers: 2,
  },
});
