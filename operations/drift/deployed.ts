/** Systems whose tables can be looked at, and the files that they were made from. */
import { readFile } from "node:fs/promises";
import { InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { CommandError } from "../../cli/commandError";
import { readOutputs } from "../../cli/localOutputs";
import { pulumiJson } from "../../cli/pulumi";
import type { SchemaServer } from "../../schema/connection";
import { type LiveTables, readLiveTables } from "../../schema/drift";
import { readMigrations, readSchemaFile } from "../../schema/files";
import type { ApplyEvent, CheckEvent, SchemaPlan } from "../../schema/plan";

/** A deployed system. */
export interface Deployed {
  /** In words. */
  readonly name: string;
  /** The files that were applied last. */
  readonly files: Pick<SchemaPlan, "database" | "sql" | "migrations">;
  /** How its tables are now. */
  read(): Promise<LiveTables>;
}

/** The local system on a data folder, and the files of this folder. @throws CommandError where none runs there */
export async function localSystem(directory: string): Promise<Deployed> {
  const { mysql, authorityFile } = await readOutputs(directory);
  const { database, ...account } = mysql;
  const server = { ...account, authorities: await readFile(authorityFile, "utf8") };
  return {
    name: `the local system on ${directory}`,
    files: { database, sql: readSchemaFile(), migrations: readMigrations() },
    read: () => readLiveTables(server, database),
  };
}

/**
 * A stack on AWS, by its state: that holds the files as they were deployed, and how to reach the database, which no output
 * tells. Where the database is private, the function inside is asked; it needs `lambda:InvokeFunction`.
 *
 * @throws CommandError where it has no schema, or the Pulumi CLI does not tell its state
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
  throw new CommandError(`Stack ${stack} has no schema yet. Deploy it with \`pulumi up --stack ${stack}\` first.`);
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
      throw new CommandError(
        `The function ${functionName} could not look: ${payload?.errorMessage ?? "no reason told"}`,
      );
    }
    return payload as LiveTables;
  } finally {
    client.destroy();
  }
}

interface ExportedState {
  readonly deployment?: { readonly resources?: ExportedResource[] };
}

interface ExportedResource {
  readonly urn: string;
  readonly type: string;
  readonly inputs: Readonly<Record<string, unknown>>;
  readonly outputs?: Readonly<Record<string, unknown>>;
}

/** The stack's resources with their secrets, which stay in this process. @throws as `pulumiJson` */
async function exportedResources(stack: string): Promise<ExportedResource[]> {
  const command = ["stack", "export", "--show-secrets"];
  const state = (await pulumiJson({ stack, what: "state", command, reviver: revealed })) as ExportedState | null;
  return state?.deployment?.resources ?? [];
}

/** How Pulumi marks a secret in an exported state, with the value as JSON beside it. */
const secretMark = "4dabf18193072939515e22adb298388d";

function revealed(_key: string, value: unknown): unknown {
  const { [secretMark]: mark, plaintext } = (value ?? {}) as { [secretMark]?: unknown; plaintext?: unknown };
  return mark !== undefined && typeof plaintext === "string" ? JSON.parse(plaintext) : value;
}
