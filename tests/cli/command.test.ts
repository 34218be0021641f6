/** What every command has in common: its options, what it says of a fault, and the exit code. */
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { runCommand, UsageError } from "../../cli/command";
import { CommandError } from "../../cli/commandError";
import { dataFolder } from "../../cli/folders";
import { projectRoot } from "../support/native";

const said: string[] = [];
const failed: string[] = [];
beforeEach(() => {
  vi.spyOn(console, "log").mockImplementation((text) => said.push(text));
  vi.spyOn(console, "error").mockImplementation((text) => failed.push(text));
});
afterEach(() => {
  vi.restoreAllMocks();
  process.exitCode = undefined;
  said.length = failed.length = 0;
});

/** Runs a command that does this; what it said, what it said of faults, and its exit code. */
async function run(args: string[], work: (values: object, files: readonly string[]) => Promise<number>) {
  await runCommand(args, {
    usage: "npm run something",
    options: { name: { type: "string", default: "nobody" }, loud: { type: "boolean", default: false } },
    positionals: true,
    explain: (error) => (error instanceof RangeError ? "Out of range." : undefined),
    run: work,
  });
  return [process.exitCode, said.join("\n"), failed.join("\n")];
}

const throwing = (error: unknown) => () => Promise.reject(error);

describe("a command", () => {
  it("gets its options and what stands beside them, and gives the exit code", async () => {
    const asked = vi.fn(async () => 2);
    expect(await run(["--loud", "a.json"], asked)).toEqual([2, "", ""]);
    expect(asked).toHaveBeenCalledWith({ name: "nobody", loud: true }, ["a.json"]);
  });

  it("shows its usage on standard output where it is asked for", async () => {
    const asked = vi.fn(async () => 2);
    expect(await run(["--help"], asked)).toEqual([0, "npm run something", ""]);
    expect(asked).not.toHaveBeenCalled();
  });

  it.each([
    [["--nmae", "x"], async () => 0, /^Unknown option '--nmae'.*\n\nnpm run something$/s],
    [[], throwing(new UsageError("Say a name.")), /^Say a name\.\n\nnpm run something$/],
    [[], throwing(new CommandError("No system runs here.")), /^No system runs here\.$/],
    [[], throwing(new RangeError("3")), /^Out of range\.$/],
  ])("says in a sentence what its person can mend: %j", async (args, work, words) => {
    expect(await run(args, work)).toEqual([1, "", expect.stringMatching(words)]);
  });

  it("tells a defect with its stack and that of its cause, and no other field", async () => {
    const cause = Object.assign(new Error("refused"), { sql: "SELECT 'secret'" });
    const [code, , told] = await run([], throwing(new TypeError("no row", { cause })));
    expect([code, told]).toEqual([
      1,
      expect.stringMatching(/^TypeError: no row\n {4}at .*\nCaused by Error: refused\n {4}at /s),
    ]);
    expect(told).not.toContain("secret");
  });

  it("tells a cause that is its own cause, and what is thrown without being an error", async () => {
    const error = new Error("round");
    error.cause = error;
    expect(await run([], throwing(error))).toEqual([1, "", expect.stringContaining("Error: round")]);
    expect(await run([], throwing("a word"))).toEqual([1, "", expect.stringMatching(/\na word$/)]);
  });
});

it("a data folder is found from the project's folder on", () => {
  expect(dataFolder()).toBe(join(projectRoot, ".local"));
  expect(dataFolder("other")).toBe(join(projectRoot, "other"));
  expect(dataFolder("/data")).toBe("/data");
});
