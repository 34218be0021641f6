import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** Begun first, since whichever of these were begun last would be waited for alone. */
const long = [
  "mutations/mutations",
  "e2e/start",
  "browser/uploads",
  "infra/userErrors",
  "operations/drift",
  "faults/server.stress",
  "rotateSecret/interrupted.stress",
  "rotateSecret/underLoad.stress",
];

class LongFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification) => {
      const place = long.findIndex((name) => moduleId.endsWith(`/${name}.test.ts`));
      return place < 0 ? long.length : place;
    };
    return (await super.sort(files)).sort((a, b) => rank(a) - rank(b));
  }
}

/** The tests that evaluate the program in their own process. */
const program = [
  "tests/infra/**/!(userErrors).test.ts",
  "tests/policies/**/*.test.ts",
  "tests/local/services/network/*.test.ts",
  "tests/operations/cost.test.ts",
];
/** What needs load or races a clock: `npm run test:stress`, by vitest.stress.config.mts. */
export const stress = "tests/**/*.stress.test.ts";

export default defineConfig({
  test: {
    projects: [
      // The program takes two seconds to load: the files of one worker share the loaded program.
      { extends: true, test: { name: "program", include: program, isolate: false } },
      { extends: true, test: { name: "others", include: ["tests/**/*.test.ts"], exclude: [...program, stress] } },
    ],
    globalSetup: ["tests/support/globalSetup.ts"],
    setupFiles: ["tests/support/ports.ts"],
    // What the SDK says at each start about the Node of next year is no matter of a test.
    env: { AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: "true" },
    // For what hangs: a machine with other work to do may take six times as long as an idle one.
    testTimeout: 180_000,
    hookTimeout: 180_000,
    pool: "forks",
    // One more than the two cores: a third of the time is spent waiting, for time-outs and servers that start.
    maxWorkers: 3,
    sequence: { sequencer: LongFirst },
    allowOnly: false,
    passWithNoTests: false,
  },
});
