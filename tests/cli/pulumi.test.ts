/** What the commands are told of a stack, and what they say where the Pulumi CLI does not tell it. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterAll, afterEach, describe, expect, it, vi } from "vitest";
import { CommandError } from "../../cli/commandError";
import { pulumiJson, stackOutputs } from "../../cli/pulumi";
import { type Answer, asksForOutputs, standInPulumi } from "../support/pulumi";

const folder = mkdtempSync(join(tmpdir(), "pulumi-"));
afterEach(() => vi.unstubAllEnvs());
afterAll(() => rmSync(folder, { recursive: true }));

function answer(content: Omit<Answer, "to">, stack = "prod"): void {
  standInPulumi(folder, { to: asksForOutputs(stack), ...content });
  vi.stubEnv("PATH", `${folder}${delimiter}${process.env.PATH}`);
}

it("tells a stack's outputs; a name is no option, whatever it is", async () => {
  answer({ stdout: '{"region":"us-east-1"}' });
  expect(await stackOutputs("prod")).toEqual({ region: "us-east-1" });
  answer({ stdout: "{}" }, "--help");
  expect(await stackOutputs("--help")).toEqual({});
});

it("takes a state that is larger than Node's own limit of 1 MiB", async () => {
  answer({ stdout: JSON.stringify({ text: "x".repeat(3_000_000) }) });
  expect((await stackOutputs("prod")).text).toHaveLength(3_000_000);
});

describe("says in a sentence, and what to do", () => {
  const refused = async (timeout?: number) => {
    const question = { stack: "prod", what: "outputs", command: ["stack", "output", "--json"] };
    const error = await pulumiJson({ ...question, ...(timeout && { timeout }) }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(CommandError);
    return (error as Error).message;
  };

  it("that there is no CLI", async () => {
    vi.stubEnv("PATH", join(folder, "nothing"));
    expect(await refused()).toBe(
      "The Pulumi CLI is not on the PATH: it is asked for the outputs of the stack prod. " +
        "Install it from https://www.pulumi.com/docs/install/.",
    );
  });

  it("that there is no such stack", async () => {
    answer({ stderr: "error: no stack named 'prod' found\n", code: 255 });
    expect(await refused()).toBe(
      "There is no stack prod: no stack named 'prod' found. " +
        "See `pulumi stack ls`, and make it with `pulumi up --stack prod`.",
    );
  });

  it("what else the CLI says", async () => {
    answer({ stderr: "error: PULUMI_ACCESS_TOKEN must be set for login\n", code: 1 });
    expect(await refused()).toBe(
      "The Pulumi CLI did not tell the outputs of the stack prod: PULUMI_ACCESS_TOKEN must be set for login\n" +
        "See whether `pulumi stack --stack prod` finds it.",
    );
  });

  it("that it takes too long", async () => {
    answer({ hangs: true });
    expect(await refused(500)).toBe(
      "The Pulumi CLI did not tell the outputs of the stack prod within 0.5 s. " +
        "See whether `pulumi stack --stack prod` finds it.",
    );
  });

  it("that it is something else, without what it told: a state has secrets", async () => {
    answer({ stdout: "hello secret" });
    expect(await refused()).toBe(
      "What the Pulumi CLI tells as the outputs of the stack prod is not JSON, but 12 other characters. " +
        "Is `pulumi` on the PATH Pulumi's CLI?",
    );
  });
});
