import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { ConfigError } from "../infra/config";
import { DataFolder } from "./folder";
import { StartError } from "./host/part";
import { stackConfig } from "./host/stackConfig";
import { prove } from "./proof";
import { Screen } from "./screen";
import { startSystem } from "./system";

const root = join(__dirname, "..");

const usage = `npm start -- [--once] [--reset] [--stack NAME] [--dir FOLDER]

Runs the whole system on this machine and signs one person up as proof; stays until Ctrl-C.

  --once         stop after the proof, with exit code 0, or 1 and the reason
  --reset        start from nothing: forget all users, rows, pictures and addresses
  --stack NAME   take the configuration of Pulumi.NAME.yaml (default: dev)
  --dir FOLDER   keep the data in this folder (default: .local)
  --help         show this`;

interface Options {
  readonly once: boolean;
  readonly reset: boolean;
  readonly stack: string;
  readonly dir: string;
}

/** The command `npm start`. Sets the exit code: 0 when it was asked to stop, 1 with the reason otherwise. */
export async function main(args: string[]): Promise<void> {
  try {
    const options = readOptions(args);
    if (options === undefined) console.log(usage);
    else await run(options);
  } catch (error) {
    console.error(`\n${explained(error)}`);
    process.exitCode = 1;
  }
}

function readOptions(args: string[]): Options | undefined {
  try {
    const { values } = parseArgs({
      args,
      options: {
        once: { type: "boolean", default: false },
        reset: { type: "boolean", default: false },
        stack: { type: "string", default: "dev" },
        dir: { type: "string", default: ".local" },
        help: { type: "boolean", default: false },
      },
    });
    return values.help ? undefined : values;
  } catch (error) {
    throw new StartError(`${(error as Error).message}\n\n${usage}`);
  }
}

async function run({ once, reset, stack, dir }: Options): Promise<void> {
  const stopped = stopSignal();
  const screen = new Screen();
  const values = stackConfig(root, stack);
  const folder = await DataFolder.open(resolve(root, dir), { reset });
  try {
    screen.title(stack);
    const system = await startSystem({ folder, stack, values, screen });
    try {
      await folder.write("outputs.json", system.outputs);
      const begun = performance.now();
      screen.proven(await prove(system.outputs), performance.now() - begun);
      screen.summary(system, join(dir, "outputs.json"));
      if (!once) {
        console.log("\n  Ctrl-C stops it.");
        await stopped;
        console.log("\nStopping.");
      }
    } finally {
      await folder.remove("outputs.json");
      await system.close();
    }
  } finally {
    await folder.close();
  }
}

/** Resolves when the person or the operating system asks to stop; a second request does not wait any longer. */
function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    let asked = false;
    const ask = () => {
      if (asked) process.exit(130);
      asked = true;
      resolve();
    };
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, ask);
  });
}

/** Errors that are told to a person come as their message; anything else is a defect and comes with its stack. */
function explained(error: unknown): string {
  if (error instanceof StartError || error instanceof ConfigError) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
