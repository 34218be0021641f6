import { execFile } from "node:child_process";
import { CommandError } from "./commandError";
import { projectRoot } from "./folders";

/** Reading a state that is kept far away may take a while. */
const usualMs = 120_000;
/** A state holds every file of the schema, and every resource's inputs and outputs. */
const mostBytes = 256 * 1024 * 1024;

/** A question to the Pulumi CLI about one stack. */
export interface Question {
  readonly stack: string;
  /** What is asked for, in words: `outputs`. */
  readonly what: string;
  /** The command that answers it as JSON: `stack output --json`. */
  readonly command: readonly string[];
  /** As of `JSON.parse`. */
  readonly reviver?: (key: string, value: unknown) => unknown;
  /** Longest wait in ms. @default two minutes */
  readonly timeout?: number;
}

/**
 * The outputs of a deployed stack; secret ones stay hidden (`[secret]`).
 *
 * @throws as `pulumiJson`
 */
export async function stackOutputs(stack: string): Promise<Record<string, unknown>> {
  const command = ["stack", "output", "--json"];
  return (await pulumiJson({ stack, what: "outputs", command })) as Record<string, unknown>;
}

/**
 * What the Pulumi CLI on the PATH tells of a stack.
 *
 * @throws CommandError where there is no such CLI or stack, or no JSON comes in time; with the CLI's own words
 */
export async function pulumiJson(question: Question): Promise<unknown> {
  const { stack, what, command, reviver, timeout = usualMs } = question;
  // No shell, and a name that cannot be taken for an option.
  const args = [...command, "--non-interactive", `--stack=${stack}`];
  const text = await new Promise<string>((resolve, reject) => {
    execFile("pulumi", args, { cwd: projectRoot, timeout, maxBuffer: mostBytes }, (error, stdout, stderr) => {
      if (error) reject(new CommandError(reason(question, error, stderr, timeout)));
      else resolve(stdout);
    });
  });
  try {
    return JSON.parse(text, reviver);
  } catch {
    // Neither the text nor the cause, which quotes it: a state has secrets.
    throw new CommandError(
      `What the Pulumi CLI tells as the ${what} of the stack ${stack} is not JSON, but ${text.length} other characters. ` +
        "Is `pulumi` on the PATH Pulumi's CLI?",
    );
  }
}

function reason(
  { stack, what }: Question,
  error: Error & { code?: unknown; killed?: boolean },
  stderr: string,
  timeout: number,
): string {
  if (error.code === "ENOENT") {
    const where = "https://www.pulumi.com/docs/install/";
    return `The Pulumi CLI is not on the PATH: it is asked for the ${what} of the stack ${stack}. Install it from ${where}.`;
  }
  const words = stderr.replace(/^error: /, "").trim();
  if (/no stack named/.test(words)) {
    return `There is no stack ${stack}: ${words}. See \`pulumi stack ls\`, and make it with \`pulumi up --stack ${stack}\`.`;
  }
  const failed = `The Pulumi CLI did not tell the ${what} of the stack ${stack}`;
  const look = `See whether \`pulumi stack --stack ${stack}\` finds it.`;
  // A CLI that says too much is killed too, and has a code.
  if (error.killed && typeof error.code !== "string") return `${failed} within ${timeout / 1000} s. ${look}`;
  return `${failed}: ${words || error.message}\n${look}`;
}
