/**
 * Loads a file of the program as Node itself would, without Vitest's module runner.
 *
 * Pulumi serializes functions (`CallbackFunction`, dynamic providers) by walking their source and their captures.
 * Modules that Vitest's runner loaded cannot be serialized ("native code"), so tests that need the serialized form load
 * the program with this function. Everything that such a file imports, including `@pulumi/pulumi`, is the native copy
 * too: register mocks on `loadNatively("node_modules/@pulumi/pulumi")`, not on an `import` of the test.
 */
import { createRequire } from "node:module";
import path from "node:path";

export const projectRoot = path.resolve(__dirname, "../..");

const nativeRequire = createRequire(path.join(projectRoot, "package.json"));
let hooked = false;

/**
 * @param file path relative to the project's root, for example `infra/schema/DatabaseSchema.ts`
 * @returns the module's exports; the same object for the same file within one test file
 */
export function loadNatively<T>(file: string): T {
  if (!hooked) {
    nativeRequire("tsx/cjs");
    hooked = true;
  }
  return nativeRequire(path.join(projectRoot, file)) as T;
}
