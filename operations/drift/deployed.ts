/** Deployed systems: how to read their tables, and the files that the tables were created from. */
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
  /** As text for messages. */
  readonly name: string;
  /** The files that were applied last. */
  readonly files: Pick<SchemaPlan, "database" | "sql" | "migrations">;
  /** Reads its current tables. */
  read(): Promise<LiveTables>;
}

/** The local system on a data folder, and this project's schema files. @throws CommandError where none is running */
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
 * A stack on AWS, by its state. The state contains the files as they were deployed, and how to reach the database,
 * which is not among the outputs. A private database is read by the function inside the VPC; this needs
 * `lambda:InvokeFunction`.
 *
 * @throws CommandError where the stack has no schema, or the Pulumi CLI does not print its state
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
      read: () => readViaLambda(functionName!, region, event),
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

/** A little longer than Lambda's own limit, so that Lambda's error arrives. */
const LAMBDA_MILLISECONDS = 910_000;

async function readViaLambda(functionName: string, region: string | undefined, event: CheckEvent): Promise<LiveTables> {
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
        `The function ${functionName} could not read the tables: ${payload?.errorMessage ?? "no reason was given"}`,
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

/** The stack's resources with their secrets in plain text, which must stay in this process. @throws as `pulumiJson` */
async function exportedResources(stack: string): Promise<ExportedResource[]> {
  const command = ["stack", "export", "--show-secrets"];
  const state = (await pulumiJson({ stack, what: "state", command, reviver: decodeSecret })) as ExportedState | null;
  return state?.deployment?.resources ?? [];
}

/** The key by which Pulumi marks a secret in an exported state; the field `plaintext` has the value as JSON. */
const secretMark = "4dabf18193072939515e22adb298388d";

function decodeSecret(_key: string, value: unknown): unknown {
  const { [secretMark]: mark, plaintext } = (value ?? {}) as { [secretMark]?: unknown; plaintext?: unknown };
  return mark !== undefined && typeof plaintext === "string" ? JSON.parse(plaintext) : value;
}
