import { parseArgs } from "node:util";
import { CognitoIdentityProviderClient } from "@aws-sdk/client-cognito-identity-provider";
import { createConnect } from "../../functions/registerUser/connection";
import { Database } from "../../functions/registerUser/database";
import { DatabaseUnavailable } from "../../functions/registerUser/errors";
import { createSecretReader } from "../../functions/registerUser/secret";
import { onStopRequest } from "../../local/stopRequests";
import { Accounts } from "./accounts";
import { codeOf, explained, OperatorError } from "./errors";
import { Progress } from "./progress";
import { newTally, reconcile } from "./reconcile";
import { type End, jsonReport, textReport } from "./report";
import { Rows } from "./rows";
import { localTarget, stackTarget, type Target } from "./target";

const usage = `npm run reconcile -- [--stack NAME | --local] [--dry-run] [--json] [--dir FOLDER]

Finds confirmed Cognito users without a row in ecommerce_db.users and registers them. Safe beside live traffic, to stop
at any time, and to repeat.

  --local        the system that npm start runs on this machine (the default)
  --stack NAME   a stack on AWS, by its outputs (pulumi stack output) and your AWS credentials
  --dry-run      change nothing, and say what would be done
  --json         for machines: one JSON object a line, each finding and last the summary
  --dir FOLDER   the local system's data folder (default: .local; with npm start -- --stack NAME it is .local-NAME)
  --help         show this

Exit code: 0 when every confirmed user has a row now, 2 when some are left for a person to decide, 1 when it failed,
130 or 143 when it was stopped (Ctrl-C, SIGTERM). With --dry-run: the code with which the same run would end.`;

/** How long (ms) the database may stay away: an RDS fail-over takes one to two minutes. */
const PATIENCE_MILLISECONDS = 180_000;
/** The same before anything was done, when a wrong address or network is the likelier reason. */
const FIRST_MILLISECONDS = 10_000;

interface CommandLine {
  readonly stack?: string;
  readonly dir: string;
  readonly dryRun: boolean;
  readonly json: boolean;
}

/** The command `npm run reconcile`. Ends the process with one of the exit codes above. */
export async function main(args: string[]): Promise<void> {
  // Should the process ever end before the code below says how, that is no success.
  process.exitCode = 1;
  const stop = new AbortController();
  let stopCode = 1;
  onStopRequest((exitCode) => {
    stopCode = exitCode;
    stop.abort();
  });
  let code: number;
  try {
    const options = readOptions(args);
    if (options === undefined) {
      console.log(usage);
      code = 0;
    } else {
      code = (await run(options, stop.signal)) ?? stopCode;
    }
  } catch (error) {
    console.error(explained(error));
    code = 1;
  }
  // Waited for, since a pipe may take its time; not left to the event loop, which a request given up holds for a while.
  process.stdout.write("", () => process.exit(code));
}

/** @returns the exit code, undefined where the signal stopped it */
async function run({ stack, dir, dryRun, json }: CommandLine, signal: AbortSignal): Promise<number | undefined> {
  const target = stack === undefined ? await localTarget(dir) : await stackTarget(stack);
  const database = connectTo(target);
  const accounts = new Accounts(createCognito(), target.userPoolId);
  const rows = new Rows(database, PATIENCE_MILLISECONDS, signal);
  const report = (json ? jsonReport : textReport)(console.log);
  console.error(`Reconciling ${target.name}${dryRun ? ", changing nothing" : ""}`);

  const begun = performance.now();
  const tally = newTally();
  const progress = new Progress(tally, process.stderr);
  const found: Parameters<typeof reconcile>[0]["found"] = (finding) => {
    progress.clear();
    report.found(finding);
  };
  let end: End = "finished";
  let fault: unknown;
  try {
    await reached(rows, target);
    await reconcile({ accounts, rows, dryRun, tally, signal, found });
  } catch (error) {
    end = signal.aborted ? "stopped" : "failed";
    fault = error;
  }
  progress.end();
  database.close();

  const failed = end === "failed" ? { error: codeOf(fault) } : {};
  report.summary({ ...tally, dryRun, end, ...failed, seconds: (performance.now() - begun) / 1000 });
  if (end === "failed") {
    console.error(explained(fault));
    return 1;
  }
  return end === "stopped" ? undefined : tally.conflicts + tally.unusable > 0 ? 2 : 0;
}

/** The function's own way to the database. */
function connectTo({ environment, secretName }: Target): Database {
  for (const [name, value] of Object.entries(environment)) {
    if (value === undefined) {
      delete process.env[name];
    } else {
      process.env[name] = value;
    }
  }
  return new Database(createSecretReader(secretName), createConnect(process.env));
}

/** Slows down by itself where Cognito throttles, and does not give up for a minute or so. */
function createCognito(): CognitoIdentityProviderClient {
  return new CognitoIdentityProviderClient({
    retryMode: "adaptive",
    maxAttempts: 12,
    requestHandler: { connectionTimeout: 3000, requestTimeout: 10_000, throwOnRequestTimeout: true },
  });
}

/** @throws OperatorError with what to do, where nobody answers */
async function reached(rows: Rows, { unreachable }: Target): Promise<void> {
  try {
    await rows.reach(FIRST_MILLISECONDS);
  } catch (error) {
    throw error instanceof DatabaseUnavailable
      ? new OperatorError(`${explained(error)} ${unreachable}`, { cause: error })
      : error;
  }
}

function readOptions(args: string[]): CommandLine | undefined {
  try {
    const { values } = parseArgs({
      args,
      options: {
        stack: { type: "string" },
        local: { type: "boolean", default: false },
        dir: { type: "string" },
        "dry-run": { type: "boolean", default: false },
        json: { type: "boolean", default: false },
        help: { type: "boolean", default: false },
      },
    });
    if (values.help) {
      return undefined;
    }
    if (values.stack !== undefined && (values.local || values.dir !== undefined)) {
      throw new Error("--stack is a system on AWS, --local and --dir are one on this machine: give one or the other");
    }
    const { stack, dir = ".local", "dry-run": dryRun, json } = values;
    return { stack, dir, dryRun, json };
  } catch (error) {
    throw new OperatorError(`${(error as Error).message}\n\n${usage}`);
  }
}
