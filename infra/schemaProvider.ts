import { createHash } from "node:crypto";
import * as pulumi from "@pulumi/pulumi";
import { applySchema } from "../schema/apply";
import { createdTables, harmlessStatementsOf } from "../schema/statements";

/** What a {@link SchemaFile} needs. */
export interface SchemaFileArgs {
  /** Name of the MySQL server; its certificate must be made out to it. */
  readonly host: pulumi.Input<string>;
  readonly port: pulumi.Input<number>;
  /** A user who may create databases and tables. */
  readonly username: pulumi.Input<string>;
  /** Kept as a secret in the state. */
  readonly password: pulumi.Input<string>;
  /** The certificate authorities to trust, PEM text. A change alone applies nothing. */
  readonly authorities: pulumi.Input<string>;
  /** The only database that the file may create or use. A change replaces the resource, and leaves the old database. */
  readonly databaseName: pulumi.Input<string>;
  /** Content of the schema file. */
  readonly sql: pulumi.Input<string>;
  /** How long to wait for a server that is still starting, in seconds. @default 120 */
  readonly waitSeconds?: pulumi.Input<number>;
}

/** The inputs as the provider gets them: resolved, and with what the constructor adds. */
export interface SchemaFileInputs extends pulumi.Unwrap<Required<SchemaFileArgs>> {
  /** SHA-256 of `sql`, hexadecimal. */
  readonly checksum: string;
  /** Names of the tables that the file creates, so that a preview shows them. */
  readonly tables: readonly string[];
}

/** What is remembered of the last application. Nothing of the user or the password. */
export interface SchemaFileState
  extends Pick<SchemaFileInputs, "host" | "port" | "databaseName" | "checksum" | "tables"> {}

/**
 * The provider's code is serialized into the state and runs in another process: it holds on to plain functions only, and
 * everything it works with comes in by the inputs.
 */
const schemaProvider: pulumi.dynamic.ResourceProvider<SchemaFileInputs, SchemaFileState> = {
  async diff(_id, old, wanted) {
    const applied: (keyof SchemaFileState)[] = ["checksum", "host", "port", "databaseName"];
    return {
      // Anything else (a password, the authorities) only says how to get to the server.
      changes: applied.some((key) => old[key] !== wanted[key]),
      replaces: old.databaseName === wanted.databaseName ? [] : ["databaseName"],
    };
  },

  async create(inputs) {
    return { id: inputs.databaseName, outs: await apply(inputs) };
  },

  async update(_id, _old, wanted) {
    return { outs: await apply(wanted) };
  },

  async delete(id) {
    console.log(`The database ${id}, its tables and its rows stay: this program never removes them.`);
  },
};

async function apply(inputs: SchemaFileInputs): Promise<SchemaFileState> {
  const { host, port, username: user, password, authorities, waitSeconds, databaseName, sql, checksum } = inputs;
  const server = { host, port, user, password, authorities, waitSeconds };
  const { tables } = await applySchema(server, sql, { database: databaseName });
  return { host, port, databaseName, checksum, tables };
}

/**
 * A schema file, applied to a MySQL server when it is new and again whenever it changed. A preview shows the change of
 * the text. Deleting the resource removes nothing from the server.
 *
 * The connection is always encrypted and verified, host name included, against `authorities`.
 */
export class SchemaFile extends pulumi.dynamic.Resource {
  declare readonly checksum: pulumi.Output<string>;
  declare readonly tables: pulumi.Output<string[]>;

  /** @throws SchemaError where the file could destroy something; at once where `sql` and `databaseName` are known */
  constructor(name: string, args: SchemaFileArgs, opts?: pulumi.CustomResourceOptions) {
    const tablesOf = (text: string, database: string) => createdTables(harmlessStatementsOf(text, database));
    if (typeof args.sql === "string" && typeof args.databaseName === "string") tablesOf(args.sql, args.databaseName);
    const sql = pulumi.output(args.sql);
    const tables = pulumi.all([sql, args.databaseName]).apply(([text, database]) => tablesOf(text, database));
    const checksum = sql.apply((text) => createHash("sha256").update(text).digest("hex"));
    const props = {
      waitSeconds: 120,
      ...args,
      password: pulumi.secret(args.password),
      checksum,
      tables,
    };
    super(schemaProvider, name, props, { ...opts, additionalSecretOutputs: ["password"] });
  }
}
