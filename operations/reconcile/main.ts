import { CognitoIdentityProviderClient } from "@aws-sdk/client-cognito-identity-provider";
import { CommandError } from "../../cli/commandError";
import { runStoppable } from "../../cli/stoppableCommand";
import { Database } from "../../functions/registerUser/database";
import { DatabaseUnavailable } from "../../functions/registerUser/errors";
import { createSecretReader } from "../../functions/registerUser/secretReader";
import { createConnect } from "../../functions/shared/connection";
import { chosenSystem, systemOptions } from "../systems";
import { Accounts } from "./cognitoAccounts";
import { codeOf, describeRegistrationError } from "./errors";
import { Progress } from "./progress";
import { newTally, reconcile } from "./reconcile";
import { jsonReport, type Summary, textReport } from "./report";
import { Rows } from "./rows";
import { localTarget, stackTarget, type Target } from "./target";

const usage = `npm run reconcile -- [--stack NAME | --local] [--dry-run] [--json] [--dir FOLDER]

Finds confirmed Cognito users without a row in ecommerce_db.users and registers them. It is safe to run during live
traffic, to stop at any time, and to repeat.

  --local        the system that npm start runs on this machine (the default)
  --stack NAME   a stack on AWS, by its outputs (pulumi stack output) and your AWS credentials
  --dry-run      change nothing, and report what would be done
  --json         for machines: one JSON object a line, each finding and last the summary
  --dir FOLDER   the local system's data folder (default: .local; with npm start -- --stack NAME it is .local-NAME)
  --help         show this

Exit code: 0 when every confirmed user has a row now, 2 when some are left for a person to decide, 1 when it failed,
130 or 143 when it was stopped (Ctrl-C, SIGTERM). With --dry-run: the code with which the same run would end.`;

/** How long (ms) the database may be unavailable: an RDS fail-over takes one to two minutes. */
const PATIENCE_MILLISECONDS = 180_000;
/** The same limit at the start, when a wrong address or network is the more likely reason. */
const FIRST_MILLISECONDS = 10_000;

/** The command `npm run reconcile`. Ends the process with one of the exit codes above. */
export function main(args: string[]): Promise<void> {
  return runStoppable(args, {
    usage,
    options: {
      ...systemOptions,
      "dry-run": { type: "boolean", default: false },
      json: { type: "boolean", default: false },
    },
    explain: describeRegistrationError,
    async run({ "dry-run": dryRun, json, ...system }, signal) {
      const choice = chosenSystem(system);
      const target = "stack" in choice ? await stackTarget(choice.stack) : await localTarget(choice.directory);
      return run(target, { dryRun, json }, signal);
    },
  });
}

/** @returns the exit code */
async function run(
  target: Target,
  { dryRun, json }: { readonly dryRun: boolean; readonly json: boolean },
  signal: AbortSignal,
): Promise<number> {
  const database = connectTo(target);
  const accounts = new Accounts(createCognito(target), target.userPoolId);
  const rows = new Rows(database, PATIENCE_MILLISECONDS, signal);
  const report = (json ? jsonReport : textReport)(console.log);
  console.error(`Reconciling ${target.name}${dryRun ? ", changing nothing" : ""}`);

  const startedAt = performance.now();
  const tally = newTally();
  const progress = new Progress(tally, process.stderr);
  const found: Parameters<typeof reconcile>[0]["found"] = (finding) => {
    progress.clear();
    report.found(finding);
  };
  const summarize = (end: Pick<Summary, "end" | "error">) => {
    progress.end();
    database.close();
    report.summary({ ...tally, dryRun, ...end, seconds: (performance.now() - startedAt) / 1000 });
  };
  try {
    await checkReachable(rows, target);
    await reconcile({ accounts, rows, dryRun, tally, signal, found });
  } catch (error) {
    summarize(signal.aborted ? { end: "stopped" } : { end: "failed", error: codeOf(error) });
    throw error;
  }
  summarize({ end: "finished" });
  return tally.conflicts + tally.unusable > 0 ? 2 : 0;
}

/** Connects with the registration function's own code. */
function connectTo({ region, credentials, endpoints, caFile, secretName }: Target): Database {
  const readSecret = createSecretReader(secretName, { region, credentials, endpoint: endpoints?.secretsManager });
  return new Database(readSecret, createConnect({ NODE_EXTRA_CA_CERTS: caFile ?? process.env.NODE_EXTRA_CA_CERTS }));
}

/** Slows down where Cognito throttles, and retries for about a minute. */
function createCognito({ region, credentials, endpoints }: Target): CognitoIdentityProviderClient {
  return new CognitoIdentityProviderClient({
    region,
    credentials,
    endpoint: endpoints?.cognito,
    retryMode: "adaptive",
    maxAttempts: 12,
    requestHandler: { connectionTimeout: 3000, requestTimeout: 10_000, throwOnRequestTimeout: true },
  });
}

/** @throws CommandError with what to do, where the database does not answer */
async function checkReachable(rows: Rows, { unreachable }: Target): Promise<void> {
  try {
    await rows.reach(FIRST_MILLISECONDS);
  } catch (error) {
    throw error instanceof DatabaseUnavailable
      ? new CommandError(`${describeRegistrationError(error)} ${unreachable}`, { cause: error })
      : error;
  }
}
