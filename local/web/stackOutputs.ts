import { execFile } from "node:child_process";
import { StartError } from "../host/part";

/** Reading a state that is kept far away may take a while. */
const withinMs = 120_000;

/**
 * The outputs of a deployed stack, as `pulumi stack output` tells them; secret ones stay hidden (`[secret]`).
 *
 * @param stack for example `dev`
 * @param root the folder of Pulumi.yaml
 * @throws StartError where there is no Pulumi CLI or it does not answer outputs, with its own words
 */
export async function readStackOutputs(stack: string, root: string): Promise<Record<string, unknown>> {
  const args = ["stack", "output", "--json", "--non-interactive", "--stack", stack];
  const text = await new Promise<string>((resolve, reject) => {
    execFile("pulumi", args, { cwd: root, timeout: withinMs }, (error, stdout, stderr) => {
      if (error) reject(explained(stack, error, stderr));
      else resolve(stdout);
    });
  });
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch (cause) {
    throw new StartError(`\`pulumi ${args.join(" ")}\` did not answer JSON, but: ${text.slice(0, 200)}`, { cause });
  }
}

function explained(stack: string, error: Error & { code?: unknown; killed?: boolean }, stderr: string): StartError {
  if (error.code === "ENOENT") {
    const where = "https://www.pulumi.com/docs/install/";
    return new StartError(`The Pulumi CLI is not on the PATH: it reads the stack's outputs. Install it from ${where}.`);
  }
  if (error.killed) {
    return new StartError(`The Pulumi CLI did not answer within ${withinMs / 1000} s. Try \`pulumi stack output\`.`);
  }
  const words = stderr.replace(/^error: /, "").trim();
  if (/no stack named/.test(words)) {
    return new StartError(
      `There is no stack ${stack}: ${words}. See \`pulumi stack ls\`, and make it with \`pulumi up --stack ${stack}\`.`,
    );
  }
  return new StartError(`The Pulumi CLI could not read the outputs of the stack ${stack}: ${words || error.message}`);
}
