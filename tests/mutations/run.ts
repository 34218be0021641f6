/**
 * Starts the system once for each change, in this process, and tells what becomes of it. The test runs it apart from
 * itself: Pulumi serializes the program's functions only where Node itself loaded them, and what hangs on a resource
 * that was refused leaves rejected promises behind.
 */
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { createConnection } from "mysql2/promise";
import { evaluate } from "../../host/program";
import { stackConfig } from "../../host/stackConfig";
import { DataFolder } from "../../local/lib/dataFolder";
import { type ExistingServer, existingServer } from "../../local/mysql/existingServer";
import { MySql } from "../../local/services/rds/MySql";
import { startServices } from "../../local/start/startServices";
import { projectRoot } from "../support/native";
import { all, type Change } from "./changes";
import type { Mutation } from "./mutation";
import { mutations } from "./mutations";
import { type Failure, tell } from "./story";

/** What became of one start. */
export interface Outcome {
  readonly name: string;
  /** The sentence by which the start was refused. */
  readonly refused?: string;
  /** Where the story went wrong on the system that did start. */
  readonly failed?: Failure;
}

/** The program as it is, and as it is edited. */
const control: Start = { name: "no change", change: (make) => make, edits: true };

type Start = Pick<Mutation, "name" | "change" | "edits">;

const stack = "dev";
const asItIs = stackConfig(projectRoot, stack);
/** Another origin, as if someone had edited the API after it was deployed. */
const edited = { ...asItIs, "ecommerce:api": JSON.stringify({ corsOrigin: "https://shop.example.com" }) };

/**
 * @param mysqlUrl the MySQL server, as `LOCAL_MYSQL_URL` has it
 * @param shared a folder for all starts; whoever starts this process removes it, since it may kill the process, too
 */
async function run(mysqlUrl: string, shared: string, report: (outcome: Outcome) => void) {
  const server = await existingServer(mysqlUrl);
  const source = { kind: "server", server, description: server.origin } as const;
  const directory = join(shared, "system");
  const outcomeOf = async ({ change, edits }: Start) => {
    await emptied(server, directory);
    const start = (values: Record<string, string>) =>
      startAndTell(directory, values, change, (context) =>
        MySql.start({ ...context, directory: join(shared, "mysql") }, async () => source),
      );
    if (!edits) return start(asItIs);
    // The API stays deployed as it was before the edit unless something triggers a new deployment.
    const before = await start(asItIs);
    if (before.refused || before.failed) return before;
    await emptied(server);
    return start(edited);
  };

  // Neither a start nor the story notices these. One start with all of them shows that for each; if it fails, each is
  // started alone, to find which one fails.
  const unnoticed = mutations.filter(({ caughtBy }) => "row" in caughtBy);
  const together = await outcomeOf({ name: "", change: all(unnoticed.map(({ change }) => change)) });
  const known = new Set<Start>(together.refused || together.failed ? [] : unnoticed);

  for (const mutation of [control, ...mutations]) {
    const outcome = known.has(mutation) ? together : await outcomeOf(mutation);
    report({ name: mutation.name, ...outcome });
  }
}

async function startAndTell(
  directory: string,
  values: Record<string, string>,
  change: Change,
  startMySql: Parameters<typeof startServices>[3],
): Promise<Pick<Outcome, "refused" | "failed">> {
  const folder = await DataFolder.open(directory);
  try {
    const parts = await startServices(folder, values["aws:region"], undefined, startMySql);
    try {
      const { outputs } = await evaluate({
        stack,
        values,
        environment: parts.environment,
        make: change((resource) => parts.make(resource)),
      });
      const known = { callbackUrl: "http://localhost:3000/", corsOrigin: corsOriginOf(values) };
      return { failed: await tell(await parts.finish(outputs), known) };
    } catch (error) {
      return { refused: (error as Error).message };
    } finally {
      await parts.close();
    }
  } finally {
    await folder.close();
  }
}

const corsOriginOf = (values: Record<string, string>) =>
  (JSON.parse(values["ecommerce:api"] ?? "{}") as { corsOrigin?: string }).corsOrigin ?? "*";

/**
 * Takes away what a system leaves in the server and, where given, in its folder: each change starts from nothing. The
 * signing key alone stays, which takes long to make and knows nothing of what was registered.
 */
async function emptied({ host, port, user, password }: ExistingServer, directory?: string) {
  const ssl = { rejectUnauthorized: false };
  const connection = await createConnection({ host, port, user, password, ssl });
  try {
    await connection.query("DROP DATABASE IF EXISTS ecommerce_db");
    await connection.query("DROP USER IF EXISTS 'ecommerce_admin'@'%', 'ecommerce_register'@'%'");
  } finally {
    await connection.end();
  }
  if (directory === undefined) return;
  const kept = ["layout.json", "cognito", "cognito/signing-key.pem"];
  for (const path of await readdir(directory, { recursive: true }).catch(() => [])) {
    if (!kept.includes(path)) await rm(join(directory, path), { recursive: true, force: true });
  }
}

if (require.main === module) {
  // Pulumi takes a stack for each promise: half of the time that evaluating the program takes.
  Error.stackTraceLimit = 0;
  // Each refused start leaves its listener behind, for the promises that are still to be rejected.
  process.setMaxListeners(0);
  run(process.env.MUTATIONS_MYSQL_URL!, process.env.MUTATIONS_FOLDER!, (outcome) => process.send!(outcome))
    .then(() => process.disconnect())
    .catch((error: unknown) => {
      console.error(error);
      process.exit(1);
    });
}
