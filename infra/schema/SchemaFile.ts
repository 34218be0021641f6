import * as pulumi from "@pulumi/pulumi";
import { applySchema } from "../../schema/apply";
import type { Migration } from "../../schema/plan";
import { checkedFiles } from "./checkedFiles";

/** What a {@link SchemaFile} needs. */
export interface SchemaFileArgs {
  /** Host name of the MySQL server; its certificate must be valid for this name. */
  readonly host: pulumi.Input<string>;
  readonly port: pulumi.Input<number>;
  /** A user who may create databases and tables. */
  readonly username: pulumi.Input<string>;
  /** Kept as a secret in the state. */
  readonly password: pulumi.Input<string>;
  /** The certificate authorities to trust, PEM text. A change alone applies nothing. */
  readonly authorities: pulumi.Input<string>;
  /** The only database that the file may create or use. A change replaces the resource, and keeps the old database. */
  readonly databaseName: pulumi.Input<string>;
  /** Content of the schema file. */
  readonly sql: pulumi.Input<string>;
  /** The migrations after the schema file. @default none */
  readonly migrations?: readonly Migration[];
  /** How long to wait for a server that is still starting, in seconds. @default 120 */
  readonly waitSeconds?: pulumi.Input<number>;
}

/** The inputs as the provider gets them: resolved, and with what the constructor adds. */
export interface SchemaFileInputs extends pulumi.Unwrap<Required<SchemaFileArgs>> {
  /** SHA-256 of `sql`, hexadecimal. */
  readonly checksum: string;
  /** SHA-256 of each migration by its name, so that a preview names those that would be applied. */
  readonly migrationChecksums: Readonly<Record<string, string>>;
  /** Names of the tables that the schema file creates, so that a preview shows them. */
  readonly tables: readonly string[];
}

/** The state after the last application, without user and password. */
export interface SchemaFileState
  extends Pick<SchemaFileInputs, "host" | "port" | "databaseName" | "checksum" | "tables"> {
  /** Missing in the state of a version without migrations. */
  readonly migrationChecksums?: Readonly<Record<string, string>>;
}

/**
 * The provider's code is serialized into the state and runs in another process: it references plain functions only, and
 * gets all values from the inputs.
 */
const schemaProvider: pulumi.dynamic.ResourceProvider<SchemaFileInputs, SchemaFileState> = {
  async diff(_id, old, wanted) {
    const applied: (keyof SchemaFileState)[] = ["checksum", "host", "port", "databaseName"];
    // Sorted by name, since the engine passes objects in any order.
    const migrations = (of: SchemaFileState) => JSON.stringify(Object.entries(of.migrationChecksums ?? {}).sort());
    return {
      // Other inputs (a password, the authorities) are needed only to connect.
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

/** The longest time (ms) that a change of a large table may take. */
const longestStatement = 60 * 60 * 1000;

/**
 * A schema file and the migrations after it, applied to a MySQL server when they are new, and again whenever one has
 * changed or was added. A preview shows the change of the text, and names the migrations. Deleting the resource removes
 * nothing from the server.
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
