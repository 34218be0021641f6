import { parseArgs } from "node:util";
import { explained } from "./host/explained";
import { StartError } from "./host/part";
import type * as running from "./run";

const usage = `npm start -- [--once] [--reset] [--stack NAME] [--set KEY=VALUE]... [--dir FOLDER]

Runs the whole system on this machine and signs one person up as proof; stays until Ctrl-C.

  --once            stop after the proof, with exit code 0, or 1 and the reason
  --reset           start from nothing: forget all users, rows, pictures and addresses
  --stack NAME      take the configuration of Pulumi.NAME.yaml (default: dev)
  --set KEY=VALUE   take this configuration value instead of the stack's, for example
                    --set callbackUrls=http://localhost:3001/ (may be given several times)
  --dir FOLDER      keep the data in this folder (default: .local, and for another stack .local-NAME)
  --help            show this

Variables of the environment:

  LOCAL_MYSQL_URL      a MySQL server to use: mysql://user:password@host:port
  LOCAL_MYSQL_SOURCE   take MySQL from url, path, download or debian only (default: the first that works)
  LOCAL_PORTS          choose ports from FIRST-LAST (default: 20000-29999)`;

export interface Options {
  readonly once: boolean;
  readonly reset: boolean;
  readonly stack: string;
  readonly set: readonly string[];
  readonly dir: string;
}

/** The command `npm start`. Sets the exit code: 0 when it was asked to stop, 1 with the reason otherwise. */
export async function main(args: string[]): Promise<void> {
  try {
    const options = readOptions(args);
    if (options === undefined) console.log(usage);
    else {
      // Loaded only now: the program takes a second to load, and a wrong option needs none of it.
      const { run } = require("./run") as typeof running;
      await run(options);
    }
  } catch (error) {
    console.error(explained(error) ?? error);
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
        set: { type: "string", multiple: true, default: [] },
        dir: { type: "string" },
        help: { type: "boolean", default: false },
      },
    });
    // Each stack is a system of its own, with users and passwords that the others do not know.
    const dir = values.dir ?? (values.stack === "dev" ? ".local" : `.local-${values.stack}`);
    return values.help ? undefined : { ...values, dir };
  } catch (error) {
    throw new StartError(`${(error as Error).message}\n\n${usage}`);
  }
}
