import { execFile } from "node:child_process";
import { CommandError } from "./commandError";
import { projectRoot } from "./folders";

/** Reading a state from a remote backend may take a while. */
const usualMs = 120_000;
/** A state holds every file of the schema, and every resource's inputs and outputs. */
const mostBytes = 256 * 1024 * 1024;

/** A command of the Pulumi CLI that prints JSON about one stack. */
export interface PulumiQuery {
  readonly stack: string;
  /** What the command prints, for messages: `outputs`. */
  readonly what: string;
  /** For example `stack output --json`. */
  readonly command: readonly string[];
  /** As for `JSON.parse`. */
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
 * Runs the Pulumi CLI that is on the PATH and parses what it prints.
 *
 * @throws CommandError where there is no such CLI or stack, or no JSON comes in time; with the CLI's own message
 */
export async function pulumiJson(query: PulumiQuery): Promise<unknown> {
  const { stack, what, command, reviver, timeout = usualMs } = query;
  // Without a shell, and as one argument, so that a stack's name is never read as an option.
  const args = [...command, "--non-interactive", `--stack=${stack}`];
  const text = await new Promise<string>((resolve, reject) => {
    execFile("pulumi", args, { cwd: projectRoot, timeout, maxBuffer: mostBytes }, (error, stdout, stderr) => {
      if (error) reject(new CommandError(reason(query, error, stderr, timeout)));
      else resolve(stdout);
    });
  });
  try {
    return JSON.parse(text, reviver);
  } catch {
    // Without the text, and without the cause, which quotes it: a state has secrets.
    throw new CommandError(
      `The Pulumi CLI printed ${text.length} characters that are not JSON instead of the ${what} of the stack ${stack}. ` +
        "Is `pulumi` on the PATH Pulumi's CLI?",
    );
  }
}

function reason(
  { stack, what }: PulumiQuery,
  error: Error & { code?: unknown; killed?: boolean },
  stderr: string,
  timeout: number,
): string {
  if (error.code === "ENOENT") {
    const where = "https://www.pulumi.com/docs/install/";
    return `The Pulumi CLI is not on the PATH; it is needed to read the ${what} of the stack ${stack}. Install it from ${where}.`;
  }
  const words = stderr.replace(/^error: /, "").trim();
  if (/no stack named/.test(words)) {
    return `There is no stack ${stack}: ${words}. See \`pulumi stack ls\`, or create it with \`pulumi up --stack ${stack}\`.`;
  }
  const failed = `The Pulumi CLI did not print the ${what} of the stack ${stack}`;
  const look = `See whether \`pulumi stack --stack ${stack}\` finds it.`;
  // execFile also kills a CLI that prints more than maxBuffer, but then the error has a code.
  if (error.killed && typeof error.code !== "string") return `${failed} within ${timeout / 1000} s. ${look}`;
  return `${failed}: ${words || error.message}\n${look}`;
}
