/** What every command has in common: its options, how it prints an error, and the exit code. */
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { runCommand, UsageError } from "../../cli/command";
import { CommandError } from "../../cli/commandError";
import { dataFolder } from "../../cli/folders";
import { projectRoot } from "../support/native";

const printed: string[] = [];
const errors: string[] = [];
beforeEach(() => {
  vi.spyOn(console, "log").mockImplementation((text) => printed.push(text));
  vi.spyOn(console, "error").mockImplementation((text) => errors.push(text));
});
afterEach(() => {
  vi.restoreAllMocks();
  process.exitCode = undefined;
  printed.length = errors.length = 0;
});

/** Runs a command with this work. @returns the exit code, standard output and standard error */
async function run(args: string[], work: (values: object, files: readonly string[]) => Promise<number>) {
  await runCommand(args, {
    usage: "npm run something",
    options: { name: { type: "string", default: "nobody" }, loud: { type: "boolean", default: false } },
    positionals: true,
    explain: (error) => (error instanceof RangeError ? "Out of range." : undefined),
    run: work,
  });
  return [process.exitCode, printed.join("\n"), errors.join("\n")];
}

const throwing = (error: unknown) => () => Promise.reject(error);

describe("a command", () => {
  it("gets its options and its other arguments, and returns the exit code", async () => {
    const work = vi.fn(async () => 2);
    expect(await run(["--loud", "a.json"], work)).toEqual([2, "", ""]);
    expect(work).toHaveBeenCalledWith({ name: "nobody", loud: true }, ["a.json"]);
  });

  it("prints its usage on standard output for --help", async () => {
    const work = vi.fn(async () => 2);
    expect(await run(["--help"], work)).toEqual([0, "npm run something", ""]);
    expect(work).not.toHaveBeenCalled();
  });

  it.each([
    [["--nmae", "x"], async () => 0, /^Unknown option '--nmae'.*\n\nnpm run something$/s],
    [[], throwing(new UsageError("Say a name.")), /^Say a name\.\n\nnpm run something$/],
    [[], throwing(new CommandError("No system runs here.")), /^No system runs here\.$/],
    [[], throwing(new RangeError("3")), /^Out of range\.$/],
  ])("prints an error that the person can correct as a sentence: %j", async (args, work, words) => {
    expect(await run(args, work)).toEqual([1, "", expect.stringMatching(words)]);
  });

  it("prints a defect with its stack trace and that of its cause, and no other field", async () => {
    const cause = Object.assign(new Error("refused"), { sql: "SELECT 'secret'" });
    const [code, , error] = await run([], throwing(new TypeError("no row", { cause })));
    expect([code, error]).toEqual([
      1,
      expect.stringMatching(/^TypeError: no row\n {4}at .*\nCaused by Error: refused\n {4}at /s),
    ]);
    expect(error).not.toContain("secret");
  });

  it("prints an error that is its own cause, and a thrown value that is not an error", async () => {
    const error = new Error("round");
    error.cause = error;
    expect(await run([], throwing(error))).toEqual([1, "", expect.stringContaining("Error: round")]);
    expect(await run([], throwing("a word"))).toEqual([1, "", expect.stringMatching(/\na word$/)]);
  });
});

it("a data folder's relative path starts at the project's folder", () => {
  expect(dataFolder()).toBe(join(projectRoot, ".local"));
  expect(dataFolder("other")).toBe(join(projectRoot, "other"));
  expect(dataFolder("/data")).toBe("/data");
});
