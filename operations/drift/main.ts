import { describeAwsError } from "../../cli/describeError";
import { runStoppable } from "../../cli/stoppableCommand";
import { type Difference, differences } from "../../schema/drift";
import { chosenSystem, systemOptions } from "../systems";
import { type Deployed, localSystem, stackSystem } from "./deployed";
import { expectedTables } from "./expected";

const usage = `npm run drift -- [--stack NAME | --local] [--json] [--dir FOLDER]

Compares the tables of a database with those that its files create: schema/ecommerceSchema.sql and the migrations
after it, as they were deployed. Changes nothing: it applies the files to an empty MySQL that it starts on this
machine.

  --local        the system that npm start runs on this machine (the default)
  --stack NAME   a stack on AWS, by its state (pulumi stack export) and, if its database is private, your AWS credentials
  --json         for machines: one JSON object a line, each difference and last the summary
  --dir FOLDER   the local system's data folder (default: .local; with npm start -- --stack NAME it is .local-NAME)
  --help         show this

Exit code: 0 when they agree, 2 when something differs, 1 when it failed, 130 or 143 when it was stopped.`;

/** The command `npm run drift`. Ends the process with one of the exit codes above. */
export function main(args: string[]): Promise<void> {
  return runStoppable(args, {
    usage,
    options: { ...systemOptions, json: { type: "boolean", default: false } },
    explain: describeAwsError,
    async run({ json, ...system }, signal) {
      const choice = chosenSystem(system);
      const deployed = "stack" in choice ? await stackSystem(choice.stack) : await localSystem(choice.directory);
      return run(deployed, json, signal);
    },
  });
}

/** @returns the exit code */
async function run(deployed: Deployed, json: boolean, signal: AbortSignal): Promise<number> {
  console.error(`Looking at ${deployed.name}`);
  const actual = await deployed.read();
  signal.throwIfAborted();
  const expected = await expectedTables(deployed.files, (line) => console.error(line), signal);
  signal.throwIfAborted();
  if (series(expected.version) !== series(actual.version)) {
    console.error(
      `Its MySQL is ${actual.version}, this machine's is ${expected.version}: a difference may be one of notation only.`,
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
