/** What the CLI shows when the program refuses its input. `tests/infra/userErrors.test.ts` has the other cases. */
import { describe, expect, test } from "vitest";
import { hasPulumi, howToGetPulumi, startEngine } from "../support/engine";

describe.runIf(hasPulumi)(`a refused configuration (${howToGetPulumi})`, { timeout: 120_000 }, () => {
  test("shows only its message", async () => {
    const engine = await startEngine({ settings: { "registration.memoryMiB": 1 } });
    try {
      expect((await engine.preview()).errors).toEqual([
        'error: The configuration of stack "dev" has an error:\n' +
          "  ecommerce:registration.memoryMiB: got 1; allowed is a whole number from 128 to 3008\n" +
          "Set a key with `pulumi config set --path KEY VALUE`, or edit Pulumi.dev.yaml; docs/configuration.md describes each key.",
      ]);
    } finally {
      await engine.dispose();
    }
  });
});
