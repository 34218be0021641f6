/** What the commands read from the Pulumi CLI about a stack, and their messages where the CLI fails. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterAll, afterEach, describe, expect, it, vi } from "vitest";
import { CommandError } from "../../cli/commandError";
import { pulumiJson, stackOutputs } from "../../cli/pulumi";
import { type Answer, outputsArguments, standInPulumi } from "../support/pulumi";

const folder = mkdtempSync(join(tmpdir(), "pulumi-"));
afterEach(() => vi.unstubAllEnvs());
afterAll(() => rmSync(folder, { recursive: true }));

function answer(content: Omit<Answer, "to">, stack = "prod"): void {
  standInPulumi(folder, { to: outputsArguments(stack), ...content });
  vi.stubEnv("PATH", `${folder}${delimiter}${process.env.PATH}`);
}

it("returns a stack's outputs; a name is never read as an option", async () => {
  answer({ stdout: '{"region":"us-east-1"}' });
  expect(await stackOutputs("prod")).toEqual({ region: "us-east-1" });
  answer({ stdout: "{}" }, "--help");
  expect(await stackOutputs("--help")).toEqual({});
});

it("accepts a state that is larger than Node's default limit of 1 MiB", async () => {
  answer({ stdout: JSON.stringify({ text: "x".repeat(3_000_000) }) });
  expect((await stackOutputs("prod")).text).toHaveLength(3_000_000);
});

describe("says in a sentence, with what to do", () => {
  const refused = async (timeout?: number) => {
    const question = { stack: "prod", what: "outputs", command: ["stack", "output", "--json"] };
    const error = await pulumiJson({ ...question, ...(timeout && { timeout }) }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(CommandError);
    return (error as Error).message;
  };

  it("that there is no CLI", async () => {
    vi.stubEnv("PATH", join(folder, "nothing"));
    expect(await refused()).toBe(
      "The Pulumi CLI is not on the PATH; it is needed to read the outputs of the stack prod. " +
        "Install it from https://www.pulumi.com/docs/install/.",
    );
  });

  it("that there is no such stack", async () => {
    answer({ stderr: "error: no stack named 'prod' found\n", code: 255 });
    expect(await refused()).toBe(
      "There is no stack prod: no stack named 'prod' found. " +
        "See `pulumi stack ls`, or create it with `pulumi up --stack prod`.",
    );
  });

  it("any other error of the CLI", async () => {
    answer({ stderr: "error: PULUMI_ACCESS_TOKEN must be set for login\n", code: 1 });
    expect(await refused()).toBe(
      "The Pulumi CLI did not print the outputs of the stack prod: PULUMI_ACCESS_TOKEN must be set for login\n" +
        "See whether `pulumi stack --stack prod` finds it.",
    );
  });

  it("that the CLI takes too long", async () => {
    answer({ hangs: true });
    expect(await refused(500)).toBe(
      "The Pulumi CLI did not print the outputs of the stack prod within 0.5 s. " +
        "See whether `pulumi stack --stack prod` finds it.",
    );
  });

  it("that `pulumi` is another program, without what it printed: a state has secrets", async () => {
    answer({ stdout: "hello secret" });
    expect(await refused()).toBe(
      "The Pulumi CLI printed 12 characters that are not JSON instead of the outputs of the stack prod. " +
        "Is `pulumi` on the PATH Pulumi's CLI?",
    );
  });
});
