/** The tests whose outcome may depend on how fast the machine is: storms, faults within Cognito's 5 s, rotations under load. */
import { defineConfig } from "vitest/config";
import usual, { stress } from "./vitest.config.mts";

export default defineConfig({
  test: {
    ...usual.test,
    projects: undefined,
    include: [stress],
    // One core for the test, and one for the servers and containers that it starts.
    maxWorkers: 2,
  },
});
