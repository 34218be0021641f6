/** How `npm run reconcile` finds a system, and its messages where it cannot. */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CommandError } from "../../cli/commandError";
import { freePort } from "../../cli/ports";
import { DatabaseUnavailable } from "../../functions/registerUser/errors";
import { Unexpected } from "../../functions/shared/errors";
import { codeOf, describeRegistrationError } from "../../operations/reconcile/errors";
import { Progress } from "../../operations/reconcile/progress";
import { newTally } from "../../operations/reconcile/reconcile";
import { masked, textReport } from "../../operations/reconcile/report";
import { secretFor } from "../functions/support";
import { type Answer, outputsArguments, standInPulumi } from "../support/pulumi";
import { Run, System } from "./support";

let folder: string;
let system: System;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "reconcile-"));
  system = await System.start();
});
afterAll(async () => {
  await system.stop();
  rmSync(folder, { recursive: true });
});

/** Creates a folder for the PATH with a script `pulumi` that prints the outputs of `prod`. */
function pulumi(answer: Omit<Answer, "to">): string {
  const directory = mkdtempSync(join(folder, "bin-"));
  standInPulumi(directory, { to: outputsArguments("prod"), ...answer });
  return directory;
}

const onPath = (directory: string) => ({ PATH: `${directory}${delimiter}${process.env.PATH}` });
const outputs = (more: object = {}) =>
  JSON.stringify({ region: "us-east-1", userPoolId: system.cognito.poolId, secretName: "ecommerce_secret", ...more });

describe("--stack", () => {
  test("uses the stack's outputs and the environment's credentials", async () => {
    const { missing } = await system.accounts(100, 2);
    const run = new Run(["--stack", "prod", "--json"], {
      ...system.environment,
      ...onPath(pulumi({ stdout: outputs() })),
    });
    expect([await run.ended(), run.summary]).toMatchObject([0, { accounts: 100, registered: missing.length }]);
    expect(run.stderr).toContain("stack prod in us-east-1");
  });

  test("says from where the database can be reached when it is unreachable", async () => {
    const server = { host: "localhost", port: await freePort() };
    await system.setSecret(secretFor(server), "unreachable");
    const path = onPath(pulumi({ stdout: outputs({ secretName: "unreachable" }) }));
    const run = new Run(["--stack", "prod"], { ...system.environment, ...path });
    expect(await run.ended()).toBe(1);
    expect(run.stderr).toContain("MySQL could not be reached");
    expect(run.stderr).toContain("(DATABASE_UNAVAILABLE < Error ECONNREFUSED)");
    expect(run.stderr).toContain("ecommerce:database.deployerCidrs");
    expect(run.stdout).toContain("Failed after");
    expect(run.stdout + run.stderr).not.toContain("    at ");
  });

  test.each([
    ["an unknown stack", () => pulumi({ stderr: "error: no stack named 'prod' found", code: 255 }), "no stack named"],
    ["a stack that is not deployed", () => pulumi({ stdout: "{}" }), "no output region, userPoolId, secretName"],
    ["a `pulumi` that is another program", () => pulumi({ stdout: "hello" }), "are not JSON"],
  ])("reports %s", async (_, make, sentence) => {
    const run = new Run(["--stack", "prod"], onPath(make()));
    expect([await run.ended(), run.stdout]).toEqual([1, ""]);
    expect(run.stderr).toContain(sentence);
    expect(run.stderr).not.toContain("    at ");
  });

  test("says where to get the Pulumi CLI", async () => {
    const empty = join(folder, "empty");
    mkdirSync(empty);
    const run = new Run(["--stack", "prod"], { PATH: empty });
    expect([await run.ended(), run.stderr]).toEqual([1, expect.stringContaining("pulumi.com/docs/install")]);
  });

  test("reports a user pool that does not exist", async () => {
    const path = onPath(pulumi({ stdout: outputs({ userPoolId: "us-east-1_missing00" }) }));
    const run = new Run(["--stack", "prod", "--json"], { ...system.environment, ...path });
    expect([await run.ended(), run.summary]).toMatchObject([1, { error: "ResourceNotFoundException", accounts: 0 }]);
    expect(run.stderr).toMatch(/^AWS: .* \(ResourceNotFoundException\)$/m);
  });
});

test.each([
  [["--stack", "prod", "--local"], "give one or the other"],
  [["--dry"], "Unknown option '--dry'"],
  [["users"], "Unexpected argument 'users'"],
  [["--stack"], "argument missing"],
])("%j is refused with the usage", async (args, sentence) => {
  const run = new Run(args);
  expect([await run.ended(), run.stdout]).toEqual([1, ""]);
  expect(run.stderr).toContain(sentence);
  expect(run.stderr).toContain("npm run reconcile --");
});

test("without a local system it says how to start one", async () => {
  const run = new Run(["--dir", join(folder, "nothing")]);
  expect([await run.ended(), run.stderr]).toEqual([1, expect.stringContaining("npm start")]);
});

test.each([
  ["jane@example.com", "j…@example.com"],
  ["😀@example.com", "?…@example.com"],
  ['"a@b"@example.com', '"…@example.com'],
  ["x@exa\u202emple.com", "x…@exa?mple.com"],
])("%s is shown as %s", (email, shown) => {
  expect(masked(email)).toBe(shown);
});

test("the report of a conflict whose other row was deleted in the meantime says to run it again", () => {
  const lines: string[] = [];
  const user = { sub: "11111111-1111-4111-8111-111111111111", email: "jane@example.com" };
  textReport((line) => lines.push(line)).found({ type: "conflict", user, owner: undefined });
  expect(lines).toEqual([expect.stringMatching(/^conflict: 1{8}.*run this again$/)]);
});

test("errors are described without the driver's message, defects with their stack trace", () => {
  const driver = Object.assign(new Error("Access denied, password: secret"), { code: "ECONNRESET" });
  expect(describeRegistrationError(new DatabaseUnavailable(driver))).toMatch(
    /\(DATABASE_UNAVAILABLE < Error ECONNRESET\)\.$/,
  );
  expect(codeOf(new CommandError("Look at the network.", { cause: new DatabaseUnavailable(driver) }))).toBe(
    "DATABASE_UNAVAILABLE",
  );
  expect(describeRegistrationError(new Unexpected(new TypeError("defect")))).toMatch(/^TypeError: defect\n\s+at /);
});

test.each([true, false])("progress is shown on standard error, on a terminal: %s", async (isTTY) => {
  const written: string[] = [];
  const progress = new Progress(
    { ...newTally(), accounts: 12_345 },
    { isTTY, write: (text: string) => written.push(text) > 0 },
  );
  await new Promise((resolve) => setTimeout(resolve, 300));
  progress.end();
  // Without a terminal there is a line only every ten seconds.
  expect(written).toEqual(isTTY ? [expect.stringContaining("12,345 accounts"), "\r\u001b[K"] : []);
});
