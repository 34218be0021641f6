/** Systems whose tables can be looked at, and the files that they were made from. */
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { readOutputs } from "../../local/outputs";
import type { SchemaServer } from "../../schema/connection";
import { type LiveTables, readLiveTables } from "../../schema/drift";
import { readMigrations, readSchemaFile } from "../../schema/files";
import type { ApplyEvent, CheckEvent, SchemaPlan } from "../../schema/plan";
import { OperatorError } from "../reconcile/errors";

/** A deployed system. */
export interface Deployed {
  /** In words. */
  readonly name: string;
  /** The files that were applied last. */
  readonly files: Pick<SchemaPlan, "database" | "sql" | "migrations">;
  /** How its tables are now. */
  read(): Promise<LiveTables>;
}

const root = join(__dirname, "../..");

/** The local system on a data folder, and the files of this folder. @throws StartError where none runs there */
export async function localSystem(directory: string): Promise<Deployed> {
  const folder = resolve(directory);
  const { mysql, authorityFile } = await readOutputs(folder);
  const { database, ...account } = mysql;
  const server = { ...account, authorities: await readFile(authorityFile, "utf8") };
  return {
    name: `the local system on ${folder}`,
    files: { database, sql: readSchemaFile(), migrations: readMigrations() },
    read: () => readLiveTables(server, database),
  };
}

/**
 * A stack on AWS, by its state: that holds the files as they were deployed, and how to reach the database, which no output
 * tells. Where the database is private, the function inside is asked; it needs `lambda:InvokeFunction`.
 *
 * @throws OperatorError where the Pulumi CLI, the stack, or its schema is missing
 */
export async function stackSystem(stack: string): Promise<Deployed> {
  const resources = await exportedResources(stack);
  const found = (type: string) =>
    resources.find((resource) => resource.type === type && resource.urn.includes("ecommerce:database:DatabaseSchema$"));
  const invocation = found("aws:lambda/invocation:Invocation");
  if (invocation) {
    const { server, database, sql, migrations } = JSON.parse(String(invocation.inputs.input)) as ApplyEvent;
    const event: CheckEvent = { check: true, server, database };
    const { functionName, region } = { ...invocation.outputs, ...invocation.inputs } as Record<string, string>;
    return {
      name: `stack ${stack}, from inside its VPC`,
      files: { database, sql, migrations },
      read: () => ask(functionName!, region, event),
    };
  }
  const applied = found("pulumi-nodejs:dynamic:Resource");
  if (applied) {
    const { host, port, username, password, authorities, databaseName, sql, migrations } =
      applied.inputs as unknown as {
        readonly username: string;
        readonly databaseName: string;
      } & Omit<SchemaServer, "user"> &
        SchemaPlan;
    const server = { host, port, user: username, password, authorities };
    const database = databaseName;
    return {
      name: `stack ${stack}`,
      files: { database, sql, ...(migrations ? { migrations } : {}) },
      read: () => readLiveTables(server, database),
    };
  }
  throw new OperatorError(`Stack ${stack} has no schema yet. Deploy it with \`pulumi up --stack ${stack}\` first.`);
}

/** A little longer than Lambda's own limit, so that its error is heard. */
const LAMBDA_MILLISECONDS = 910_000;

async function ask(functionName: string, region: string | undefined, event: CheckEvent): Promise<LiveTables> {
  const client = new LambdaClient({
    ...(region ? { region } : {}),
    requestHandler: { connectionTimeout: 5000, requestTimeout: LAMBDA_MILLISECONDS },
  });
  try {
    const answer = await client.send(
      new InvokeCommand({ FunctionName: functionName, Payload: Buffer.from(JSON.stringify(event)) }),
    );
    const payload = JSON.parse(Buffer.from(answer.Payload ?? []).toString("utf8") || "null");
    if (answer.FunctionError !== undefined) {
      throw new OperatorError(
        `The function ${functionName} could not look: ${payload?.errorMessage ?? "no reason told"}`,
      );
    }
    return payload as LiveTables;
  } finally {
    client.destroy();
  }
}

interface ExportedResource {
  readonly urn: string;
  readonly type: string;
  readonly inputs: Readonly<Record<string, unknown>>;
  readonly outputs?: Readonly<Record<string, unknown>>;
}

/** The stack's resources with their secrets, which stay in this process. */
async function exportedResources(stack: string): Promise<ExportedResource[]> {
  // No shell, and a name that cannot be taken for an option.
  const args = ["stack", "export", "--show-secrets", "--non-interactive", `--stack=${stack}`];
  const text = await new Promise<string>((fulfil, reject) => {
    execFile("pulumi", args, { cwd: root, maxBuffer: 256 * 1024 * 1024 }, (error, stdout, stderr) => {
      if (error?.code === ("ENOENT" as unknown)) {
        const where = "https://www.pulumi.com/docs/install/";
        reject(
          new OperatorError(`The Pulumi CLI is not on the PATH, and --stack asks it for the state: see ${where}.`),
        );
      } else if (error) {
        const said = stderr.trim() || `exit code ${error.code}`;
        reject(
          new OperatorError(
            `Pulumi does not tell the state of stack ${stack}; \`pulumi stack ls\` lists them:\n${said}`,
          ),
        );
      } else fulfil(stdout);
    });
  });
  try {
    const { deployment } = JSON.parse(text, revealed) as { deployment: { resources?: ExportedResource[] } };
    return deployment.resources ?? [];
  } catch {
    // Without the cause: it would quote the text.
    throw new OperatorError(`Pulumi's state of stack ${stack} is not JSON; is \`pulumi\` on the PATH Pulumi's CLI?`);
  }
}

/** How Pulumi marks a secret in an exported state, with the value as JSON beside it. */
const secretMark = "4dabf18193072939515e22adb298388d";

function revealed(_key: string, value: unknown): unknown {
  const { [secretMark]: mark, plaintext } = (value ?? {}) as { [secretMark]?: unknown; plaintext?: unknown };
  return mark !== undefined && typeof plaintext === "string" ? JSON.parse(plaintext) : value;
}
