import * as pulumi from "@pulumi/pulumi";
import { applySchema } from "../../schema/apply";
import type { Migration } from "../../schema/plan";
import { checkedFiles } from "./checkedFiles";

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
  /** The changes after it. @default none */
  readonly migrations?: readonly Migration[];
  /** How long to wait for a server that is still starting, in seconds. @default 120 */
  readonly waitSeconds?: pulumi.Input<number>;
}

/** The inputs as the provider gets them: resolved, and with what the constructor adds. */
export interface SchemaFileInputs extends pulumi.Unwrap<Required<SchemaFileArgs>> {
  /** SHA-256 of `sql`, hexadecimal. */
  readonly checksum: string;
  /** The same of each migration by its name, so that a preview names those that would be applied. */
  readonly migrationChecksums: Readonly<Record<string, string>>;
  /** Names of the tables that the schema file creates, so that a preview shows them. */
  readonly tables: readonly string[];
}

/** What is remembered of the last application. Nothing of the user or the password. */
export interface SchemaFileState
  extends Pick<SchemaFileInputs, "host" | "port" | "databaseName" | "checksum" | "tables"> {
  /** Missing in what a version before migrations left. */
  readonly migrationChecksums?: Readonly<Record<string, string>>;
}

/**
 * The provider's code is serialized into the state and runs in another process: it holds on to plain functions only,
 * and everything it works with comes in by the inputs.
 */
const schemaProvider: pulumi.dynamic.ResourceProvider<SchemaFileInputs, SchemaFileState> = {
  async diff(_id, old, wanted) {
    const applied: (keyof SchemaFileState)[] = ["checksum", "host", "port", "databaseName"];
    // In the order of their names, for the engine hands objects over in any.
    const migrations = (of: SchemaFileState) => JSON.stringify(Object.entries(of.migrationChecksums ?? {}).sort());
    return {
      // Anything else (a password, the authorities) only says how to get to the server.
      changes: applied.some((key) => old[key] !== wanted[key]) || migrations(old) !== migrations(wanted),
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
  const { host, port, username: user, password, authorities, waitSeconds, databaseName, sql, migrations } = inputs;
  const server = { host, port, user, password, authorities, waitSeconds, statementTimeout: longestStatement };
  const { tables } = await applySchema(server, { database: databaseName, sql, migrations });
  return {
    host,
    port,
    databaseName,
    checksum: inputs.checksum,
    migrationChecksums: inputs.migrationChecksums,
    tables,
  };
}

/** A change of a large table may take so long (ms). */
const longestStatement = 60 * 60 * 1000;

/**
 * A schema file and the migrations after it, applied to a MySQL server when they are new and again whenever one changed
 * or was added. A preview shows the change of the text, and names the migrations. Deleting the resource removes nothing
 * from the server.
 *
 * The connection is always encrypted and verified, host name included, against `authorities`.
 */
export class SchemaFile extends pulumi.dynamic.Resource {
  declare readonly checksum: pulumi.Output<string>;
  declare readonly tables: pulumi.Output<string[]>;

  /** @throws SchemaError as {@link checkedFiles} */
  constructor(name: string, args: SchemaFileArgs, opts?: pulumi.CustomResourceOptions) {
    const props = {
      ...args,
      waitSeconds: args.waitSeconds ?? 120,
      ...checkedFiles(args.sql, args.migrations ?? [], args.databaseName),
      password: pulumi.secret(args.password),
    };
    super(schemaProvider, name, props, { ...opts, additionalSecretOutputs: ["password"] });
  }
}
