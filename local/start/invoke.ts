import { readFile } from "node:fs/promises";
import { InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { runCommand, UsageError } from "../../cli/command";
import { CommandError } from "../../cli/commandError";
import { describeAwsError } from "../../cli/describeError";
import { dataFolder } from "../../cli/folders";
import { readOutputs } from "../../cli/localOutputs";

const usage = `npm run invoke -- EVENT.json [--dir FOLDER]

Hands an event to the packaged trigger on the running local system, and prints its answer or its error as JSON.

  --dir FOLDER   the local system's data folder (default: .local; with npm start -- --stack NAME it is .local-NAME)
  --help         show this

Exit code: 0 for an answer, 1 for an error.`;

/** The command `npm run invoke`. */
export function main(args: string[]): Promise<void> {
  return runCommand(args, {
    usage,
    options: { dir: { type: "string" } },
    positionals: true,
    explain: describeAwsError,
    async run({ dir }, [file, ...others]) {
      if (file === undefined || others.length > 0) {
        throw new UsageError(`Expected one file with an event, got ${file === undefined ? 0 : 1 + others.length}.`);
      }
      return invoke(await readEvent(file), dataFolder(dir));
    },
  });
}

/** @returns the exit code */
async function invoke(event: string, directory: string): Promise<number> {
  const outputs = await readOutputs(directory);
  const client = new LambdaClient({
    region: outputs.region,
    endpoint: outputs.lambdaEndpoint,
    credentials: { accessKeyId: outputs.accessKeyId, secretAccessKey: outputs.secretAccessKey },
  });
  const command = new InvokeCommand({ FunctionName: outputs.functionName, Payload: event });
  const { FunctionError, Payload } = await client.send(command);
  client.destroy();
  console.log(JSON.stringify(JSON.parse(Payload!.transformToString()), null, 2));
  return FunctionError ? 1 : 0;
}

async function readEvent(file: string): Promise<string> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    throw new CommandError(`${file} cannot be read: ${(error as Error).message}`);
  }
  try {
    return JSON.stringify(JSON.parse(text));
  } catch (error) {
    throw new CommandError(`${file} is not JSON: ${(error as Error).message}`);
  }
}
