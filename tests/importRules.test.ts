/**
 * `npm run check` refuses what the import rules forbid; these tests break each kind of rule in a copy of the folders.
 */
import { spawnSync } from "node:child_process";
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { copyProject } from "./support/copyProject";
import { projectRoot } from "./support/native";

const folders = ["infra", "functions", "schema", "cli", "host", "local", "operations", "policies", "bench"];

/** Runs the check in a copy of the project, after some changes to the copy. */
function check(change: (copy: string) => void = () => {}) {
  const copy = mkdtempSync(path.join(tmpdir(), "ecommerce-imports-"));
  try {
    copyProject([...folders, ".dependency-cruiser.cjs", "package.json", "tsconfig.json"], copy);
    change(copy);
    const cruiser = path.join(projectRoot, "node_modules/dependency-cruiser/bin/dependency-cruise.mjs");
    const args = [cruiser, "--config", ".dependency-cruiser.cjs", ...folders];
    const { status, stdout } = spawnSync(process.execPath, args, { cwd: copy, encoding: "utf8" });
    return { status, stdout };
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

/** What the import is, the file that has it, the imported module, and the rule that forbids it. */
const forbidden = [
  [
    "a command that imports the local target",
    "operations/systems.ts",
    "../local/services/iam/iam",
    "imports-of-operations",
  ],
  ["a function that imports the program", "functions/shared/time.ts", "../../infra/names", "imports-of-functions"],
  ["a local service that imports the program", "local/services/iam/iam.ts", "../../../infra/names", "imports-of-local"],
  [
    "a local service that imports the start",
    "local/services/sqs/sqs.ts",
    "../../start/usersTable",
    "only-start-knows-the-shop",
  ],
  ["a type of the program in what commands share", "cli/describeError.ts", "../infra/config", "imports-of-cli"],
] as const;

describe("the import rules", () => {
  it("let the project pass", () => {
    expect(check()).toEqual({ status: 0, stdout: expect.stringContaining("no dependency violations found") });
  });

  describe("refuse", () => {
    let refused: ReturnType<typeof check>;
    beforeAll(() => {
      refused = check((copy) => {
        for (const [, file, target] of forbidden) {
          appendFileSync(path.join(copy, file), `\nimport type * as forbidden from "${target}";\n`);
        }
        const circle = (self: string, other: string) =>
          `import type { ${other} } from "./${other}";\nexport type ${self} = ${other} | 1;\n`;
        writeFileSync(path.join(copy, "schema/One.ts"), circle("One", "Two"));
        writeFileSync(path.join(copy, "schema/Two.ts"), circle("Two", "One"));
      });
    });

    it.each(forbidden)("%s", (_, file, _target, rule) => {
      expect(refused.stdout).toContain(`error ${rule}: ${file}`);
    });

    it("a circular import, also of types only", () => {
      expect(refused.stdout).toMatch(/error no-circles: schema\/(One|Two)\.ts/);
    });

    it("with an exit code for CI", () => {
      expect(refused.status).not.toBe(0);
    });
  });
});
