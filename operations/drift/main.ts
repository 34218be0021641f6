import { parseArgs } from "node:util";
import { onStopRequest } from "../../local/stopRequests";
import { type Difference, differences } from "../../schema/drift";
import { explained, OperatorError } from "../reconcile/errors";
import { localSystem, stackSystem } from "./deployed";
import { expectedTables } from "./expected";

const usage = `npm run drift -- [--stack NAME | --local] [--json] [--dir FOLDER]

Compares the tables of a database with what its files make: schema/ecommerceSchema.sql and the migrations after it, as
they were deployed. Changes nothing; the files are applied to an empty MySQL that is started on this machine for it.

  --local        the system that npm start runs on this machine (the default)
  --stack NAME   a stack on AWS, by its state (pulumi stack export) and, if its database is private, your AWS credentials
  --json         for machines: one JSON object a line, each difference and last the summary
  --dir FOLDER   the local system's data folder (default: .local; with npm start -- --stack NAME it is .local-NAME)
  --help         show this

Exit code: 0 when they agree, 2 when something differs, 1 when it failed, 130 or 143 when it was stopped.`;

interface CommandLine {
  readonly stack?: string;
  readonly dir: string;
  readonly json: boolean;
}

/** The command `npm run drift`. Ends the process with one of the exit codes above. */
export async function main(args: string[]): Promise<void> {
  const stop = new AbortController();
  let stopCode: number | undefined;
  onStopRequest((exitCode) => {
    stopCode = exitCode;
    stop.abort();
  });
  let code: number;
  try {
    const options = readOptions(args);
    if (options === undefined) console.log(usage);
    code = options === undefined ? 0 : await run(options, stop.signal);
  } catch (error) {
    if (stopCode === undefined) console.error(toldOf(error));
    code = stopCode ?? 1;
  }
  // Waited for, since a pipe may take its time; not left to the event loop.
  process.stdout.write("", () => process.exit(code));
}

async function run({ stack, dir, json }: CommandLine, signal: AbortSignal): Promise<number> {
  const deployed = stack === undefined ? await localSystem(dir) : await stackSystem(stack);
  console.error(`Looking at ${deployed.name}`);
  const actual = await deployed.read();
  signal.throwIfAborted();
  const expected = await expectedTables(deployed.files, (line) => console.error(line), signal);
  signal.throwIfAborted();
  if (series(expected.version) !== series(actual.version)) {
    console.error(
      `Its MySQL is ${actual.version}, this machine's ${expected.version}: a difference may be one of wording only.`,
    );
  }
  const found = differences(expected.shapes, actual.shapes);
  for (const difference of found)
    console.log(json ? JSON.stringify({ type: "difference", ...difference }) : textOf(difference));
  const migrations = deployed.files.migrations?.length ?? 0;
  if (json) {
    console.log(JSON.stringify({ type: "summary", differences: found.length, migrations }));
  } else {
    const files = `the schema file${migrations > 0 ? ` and ${migrations} migration${migrations > 1 ? "s" : ""}` : ""}`;
    const count = found.length === 1 ? "1 difference" : `${found.length} differences`;
    const made = `what ${files} ${migrations > 0 ? "make" : "makes"}`;
    console.log(found.length === 0 ? `The tables are ${made}.` : `${count} from ${made}.`);
  }
  return found.length === 0 ? 0 : 2;
}

/** `8.4.6` → `8.4` */
function series(version: string): string {
  return version.split(".").slice(0, 2).join(".");
}

function textOf({ table, part, expected, actual }: Difference): string {
  const what = part === "table" ? `table ${table}` : `${table}, ${part}`;
  if (actual === undefined) return `${what}: missing${part === "table" ? "" : `; the files make ${expected}`}`;
  if (expected === undefined) return `${what}: not from the files${part === "table" ? "" : `; it is ${actual}`}`;
  return `${what}: is ${actual}; the files make ${expected}`;
}

/** The runner's own faults are sentences with what to do. */
function toldOf(error: unknown): string {
  return error instanceof Error && error.name === "SchemaError" ? error.message : explained(error);
}

function readOptions(args: string[]): CommandLine | undefined {
  try {
    const { values } = parseArgs({
      args,
      options: {
        stack: { type: "string" },
        local: { type: "boolean", default: false },
        dir: { type: "string" },
        json: { type: "boolean", default: false },
        help: { type: "boolean", default: false },
      },
    });
    if (values.help) return undefined;
    if (values.stack !== undefined && (values.local || values.dir !== undefined)) {
      throw new Error("--stack is a system on AWS, --local and --dir are one on this machine: give one or the other");
    }
    const { stack, dir = ".local", json } = values;
    return { ...(stack === undefined ? {} : { stack }), dir, json };
  } catch (error) {
    throw new OperatorError(`${(error as Error).message}\n\n${usage}`);
  }
}
