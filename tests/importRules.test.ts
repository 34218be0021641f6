/**
 * `npm run check` refuses what the import rules forbid; these tests break each kind of rule in a copy of the folders.
 */
import { spawnSync } from "node:child_process";
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { copyProject } from "./support/copyProject";
import { projectRoot } from "./support/native";

const folders = ["infra", "functions", "schema", "cli", "host", "local", "operations", "policies", "bench"];

let copy: string;
beforeEach(() => {
  copy = mkdtempSync(path.join(tmpdir(), "ecommerce-imports-"));
  copyProject([...folders, ".dependency-cruiser.cjs", "package.json", "tsconfig.json"], copy);
});
afterEach(() => rmSync(copy, { recursive: true, force: true }));

function check() {
  const cruiser = path.join(projectRoot, "node_modules/dependency-cruiser/bin/dependency-cruise.mjs");
  const { status, stdout } = spawnSync(process.execPath, [cruiser, "--config", ".dependency-cruiser.cjs", ...folders], {
    cwd: copy,
    encoding: "utf8",
  });
  return { status, stdout };
}
const add = (file: string, line: string) => appendFileSync(path.join(copy, file), `\n${line}\n`);

describe("the import rules", () => {
  it("let the project pass", () => {
    expect(check()).toEqual({ status: 0, stdout: expect.stringContaining("no dependency violations found") });
  });

  it.each([
    [
      "a command that imports the local target",
      "operations/systems.ts",
      "../local/services/iam/iam",
      "imports-of-operations",
    ],
    ["a function that imports the program", "functions/shared/time.ts", "../../infra/names", "imports-of-functions"],
    [
      "a local service that imports the program",
      "local/services/iam/iam.ts",
      "../../../infra/names",
      "imports-of-local",
    ],
    [
      "a local service that imports the start",
      "local/services/iam/iam.ts",
      "../../start/usersTable",
      "only-start-knows-the-shop",
    ],
    ["a type of the program in what commands share", "cli/explained.ts", "../infra/config", "imports-of-cli"],
  ])("refuse %s", (_, file, target, rule) => {
    add(file, `import type * as forbidden from "${target}";`);
    const { status, stdout } = check();
    expect(stdout).toContain(`error ${rule}: ${file}`);
    expect(status).not.toBe(0);
  });

  it("refuse a circular import, also of types only", () => {
    writeFileSync(path.join(copy, "schema/one.ts"), 'import type { Two } from "./two";\nexport type One = Two | 1;\n');
    writeFileSync(path.join(copy, "schema/two.ts"), 'import type { One } from "./one";\nexport type Two = One | 2;\n');
    const { status, stdout } = check();
    expect(stdout).toMatch(/error no-circles: schema\/(one|two)\.ts/);
    expect(status).not.toBe(0);
  });
});
