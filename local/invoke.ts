import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { StartError } from "./host/part";
import { readOutputs } from "./outputs";

const usage = `npm run invoke -- EVENT.json [--dir FOLDER]

Hands an event to the packaged trigger on the running local system, and prints its answer or its error as JSON.

  --dir FOLDER   the local system's data folder (default: .local; with npm start -- --stack NAME it is .local-NAME)
  --help         show this

Exit code: 0 for an answer, 1 for an error.`;

/** The command `npm run invoke`. */
export async function main(args: string[]): Promise<void> {
  try {
    const invocation = readArguments(args);
    if (invocation === undefined) return console.log(usage);
    const { file, directory } = invocation;
    const event = await readEvent(file);
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
    process.exitCode = FunctionError ? 1 : 0;
  } catch (error) {
    console.error((error as Error).message);
    process.exitCode = 1;
  }
}

/** What to invoke with, or nothing when help was asked for. */
function readArguments(args: string[]): { file: string; directory: string } | undefined {
  try {
    const { positionals, values } = parseArgs({
      args,
      allowPositionals: true,
      options: { dir: { type: "string", default: join(__dirname, "../.local") }, help: { type: "boolean" } },
    });
    if (values.help) return undefined;
    const [file, ...others] = positionals;
    if (file === undefined || others.length > 0) {
      throw new Error(`Expected one file with an event, got ${positionals.length}.`);
    }
    return { file, directory: resolve(values.dir) };
  } catch (error) {
    throw new StartError(`${(error as Error).message}\n\n${usage}`);
  }
}

async function readEvent(file: string): Promise<string> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    throw new StartError(`${file} cannot be read: ${(error as Error).message}`);
  }
  try {
    return JSON.stringify(JSON.parse(text));
  } catch (error) {
    throw new StartError(`${file} is not JSON: ${(error as Error).message}`);
  }
}
