import * as mysql from "@pulumi/mysql";
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import { readMigrations, readSchemaFile } from "../../schema/files";
import type { Migration } from "../../schema/plan";
import type { DatabaseServer } from "../database/databaseTypes";
import { type CheckedFiles, checkedFiles } from "./checkedFiles";
import { SchemaFile } from "./SchemaFile";
import { invokeApplySchema, type ViaLambdaArgs } from "./viaLambda";

/** What {@link DatabaseSchema} needs. */
export interface DatabaseSchemaArgs {
  /** The instance or cluster: when it is deleted, all of this went with it, and nothing is deleted one by one. */
  readonly server: pulumi.Resource;
  /** {@link DatabaseServer.resourceId}: on another server everything here is made again. */
  readonly serverId: pulumi.Input<string>;
  /** Host name of the server. */
  readonly address: pulumi.Input<string>;
  readonly port: pulumi.Input<number>;
  /** The administrator, by whom everything here is made. */
  readonly adminUsername: pulumi.Input<string>;
  readonly adminPassword: pulumi.Input<string>;
  /** The certificate authorities that vouch for the server, PEM text: see `rdsCaCerts`. */
  readonly authorities: pulumi.Input<string>;
  /**
   * Where given, a function there makes everything, and the machine that runs Pulumi needs no way to the database. Else
   * that machine does, by the mysql provider. A change of this moves the resources and leaves on the server what is
   * there.
   */
  readonly viaLambda?: ViaLambdaArgs;
  /**
   * Whether the environment gives the mysql provider these authorities too (`SSL_CERT_FILE` names a bundle with them):
   * then it verifies the server, otherwise it encrypts only, and the component warns. Without effect where `viaLambda` is
   * given, since the function always verifies. @default false
   */
  readonly verifiedByBundle?: boolean;
  /**
   * The database; the schema file must name the same. A change makes another one and leaves the old. Only tests give
   * another: `functions/` and `operations/` know the default alone. @default "ecommerce_db"
   */
  readonly databaseName?: pulumi.Input<string>;
  /** Content of the schema file. @default `schema/ecommerceSchema.sql` */
  readonly sql?: pulumi.Input<string>;
  /** The changes after the schema file, in any order. @default those of `schema/migrations` */
  readonly migrations?: readonly Migration[];
  /**
   * The function's user. A change makes another one and leaves the old. Given by tests only.
   * @default "ecommerce_register"
   */
  readonly userName?: pulumi.Input<string>;
  /** All that this user may do, with the table `users`. Given by tests only. @default ["INSERT", "SELECT"] */
  readonly userPrivileges?: pulumi.Input<string>[];
  /**
   * Whether the user changes its own password after the first one, as `SecretRotation` does: it may then have two at
   * once. Turned off again, user and secret get a new password of the program's. @default false
   */
  readonly rotated?: boolean;
}

/**
 * The documented schema (S3): the database `ecommerce_db` with its six tables, the migrations after it, and the user by
 * whom the function writes into `users`. It never drops a database, a user or, but for a migration that says so, a row.
 */
export class DatabaseSchema extends pulumi.ComponentResource {
  readonly databaseName: pulumi.Output<string>;
  readonly userName: pulumi.Output<string>;
  /** 32 letters and digits; a secret. */
  readonly userPassword: pulumi.Output<string>;
  /** Depend on this where the tables must be there. */
  readonly tables: pulumi.Resource;
  /** Depend on this where the function's user must be able to write. */
  readonly grant: pulumi.Resource;
  /** Depend on this where the user must be able to have two passwords; there only if `rotated`. */
  readonly passwordGrant: pulumi.Resource | undefined;

  /** @throws SchemaError where the files are refused ({@link checkedFiles}), before anything is registered */
  constructor(name: string, args: DatabaseSchemaArgs, opts?: pulumi.ComponentResourceOptions) {
    super("ecommerce:database:DatabaseSchema", name, {}, opts);
    const databaseName = args.databaseName ?? "ecommerce_db";
    const wanted: Wanted = {
      databaseName,
      files: checkedFiles(args.sql ?? readSchemaFile(), args.migrations ?? readMigrations(), databaseName),
      userName: args.userName ?? "ecommerce_register",
      password: userPassword(name, this, args.rotated ?? false),
      privileges: args.userPrivileges ?? ["INSERT", "SELECT"],
    };
    const made = args.viaLambda
      ? createViaLambda(name, this, args, args.viaLambda, wanted)
      : createViaProvider(name, this, args, wanted);

    this.databaseName = made.databaseName;
    this.userName = made.userName;
    this.userPassword = pulumi.secret(wanted.password);
    this.tables = made.tables;
    this.grant = made.grant;
    this.passwordGrant = made.passwordGrant;
    this.registerOutputs({
      databaseName: this.databaseName,
      userName: this.userName,
      userPassword: this.userPassword,
    });
  }
}

/** What there should be, the same both ways. */
interface Wanted {
  readonly databaseName: pulumi.Input<string>;
  readonly files: CheckedFiles;
  readonly userName: pulumi.Input<string>;
  readonly password: pulumi.Output<string>;
  readonly privileges: pulumi.Input<string>[];
}

type CreatedSchema = Pick<DatabaseSchema, "databaseName" | "userName" | "tables" | "grant" | "passwordGrant">;

function userPassword(name: string, parent: pulumi.Resource, rotated: boolean): pulumi.Output<string> {
  // Letters and digits only: the mysql provider splices the password into its SQL.
  const password = new random.RandomPassword(
    `${name}-user-password`,
    {
      length: 32,
      special: false,
      // Drawn anew when rotation is turned off: then, and not at some later change, user and secret get it together.
      ...(rotated ? { keepers: { rotated: "true" } } : {}),
    },
    { parent },
  );
  return password.result;
}

/** Everything by one invocation of a function that stands beside the database. */
function createViaLambda(
  name: string,
  parent: pulumi.Resource,
  args: DatabaseSchemaArgs,
  inside: ViaLambdaArgs,
  wanted: Wanted,
): CreatedSchema {
  const rotated = args.rotated ?? false;
  const applied = invokeApplySchema(
    name,
    {
      server: {
        host: args.address,
        port: args.port,
        user: args.adminUsername,
        password: args.adminPassword,
        authorities: args.authorities,
      },
      database: wanted.databaseName,
      files: wanted.files,
      user: { name: wanted.userName, password: wanted.password, privileges: wanted.privileges, rotated },
      inside,
      deletedWith: args.server,
      serverId: args.serverId,
    },
    parent,
  );
  // The URN is known in a preview; what is made of it waits for the invocation all the same.
  const after = <T>(value: pulumi.Input<T>) => pulumi.all([value, applied.urn]).apply(([known]) => known as T);
  return {
    databaseName: after(wanted.databaseName),
    userName: after(wanted.userName),
    tables: applied,
    grant: applied,
    passwordGrant: rotated ? applied : undefined,
  };
}

/** Everything by this machine, which must reach the database: by the mysql provider, and the files by a dynamic one. */
function createViaProvider(
  name: string,
  parent: pulumi.Resource,
  args: DatabaseSchemaArgs,
  wanted: Wanted,
): CreatedSchema {
  const making: Making = { name, parent, args, wanted, provider: administrator(name, parent, args) };
  const database = createDatabase(making);
  const tables = applyFiles(making, database);
  const user = createUser(making);
  const grant = grantUsers(making, user, [tables, user]);
  const passwordGrant = args.rotated ? grantOwnPasswords(making, user) : undefined;
  return { databaseName: database.name, userName: user.user, tables, grant, passwordGrant };
}

/** What the steps share. */
interface Making {
  readonly name: string;
  readonly parent: pulumi.Resource;
  readonly args: DatabaseSchemaArgs;
  readonly wanted: Wanted;
  readonly provider: mysql.Provider;
}

function administrator(name: string, parent: pulumi.Resource, args: DatabaseSchemaArgs): mysql.Provider {
  if (!args.verifiedByBundle) {
    const warning =
      "The connection that makes the database and its user is encrypted, but the server is not verified. " +
      "Run `npm run ca-bundle`, then the line it prints, then Pulumi again.";
    // A warning that cannot be shown is no reason to fail.
    pulumi.log.warn(warning, parent).catch(() => undefined);
  }
  return new mysql.Provider(
    `${name}-mysql`,
    {
      endpoint: pulumi.interpolate`${args.address}:${args.port}`,
      username: args.adminUsername,
      password: args.adminPassword,
      // The provider has no option for authorities: "true" trusts what Go trusts, which SSL_CERT_FILE decides on Linux.
      tls: args.verifiedByBundle ? "true" : "skip-verify",
    },
    { parent, dependsOn: [args.server] },
  );
}

/*
 * What stands for something on the server is retained: taken out of the program, which also happens when the database
 * becomes private, it is only forgotten. To delete it would drop the user that the function works with, or the database
 * with all its rows, and need a connection that may be gone by then. For the same reason none of it is protected, which
 * would refuse to take it out; the server itself is.
 */

function createDatabase({ name, parent, args, wanted, provider }: Making): mysql.Database {
  return new mysql.Database(
    `${name}-database`,
    { name: wanted.databaseName, defaultCharacterSet: "utf8mb4", defaultCollation: "utf8mb4_0900_ai_ci" },
    { parent, provider, retainOnDelete: true, deletedWith: args.server, replacementTrigger: args.serverId },
  );
}

function applyFiles({ name, parent, args, wanted }: Making, database: mysql.Database): SchemaFile {
  return new SchemaFile(
    `${name}-tables`,
    {
      host: args.address,
      port: args.port,
      username: args.adminUsername,
      password: args.adminPassword,
      authorities: args.authorities,
      databaseName: wanted.databaseName,
      sql: wanted.files.sql,
      migrations: wanted.files.migrations,
    },
    { parent, dependsOn: [database], deletedWith: args.server, replacementTrigger: args.serverId },
  );
}

function createUser({ name, parent, args, wanted, provider }: Making): mysql.User {
  return new mysql.User(
    `${name}-user`,
    { user: wanted.userName, host: "%", plaintextPassword: wanted.password, tlsOption: "SSL" },
    {
      parent,
      provider,
      retainOnDelete: true,
      deletedWith: args.server,
      replacementTrigger: args.serverId,
      ignoreChanges: args.rotated ? ["plaintextPassword"] : [],
    },
  );
}

function grantUsers(making: Making, user: mysql.User, dependsOn: pulumi.Resource[]): mysql.Grant {
  const { name, parent, args, wanted, provider } = making;
  return new mysql.Grant(
    `${name}-user-grant`,
    {
      user: user.user,
      host: user.host.apply((host) => host ?? "%"),
      database: wanted.databaseName,
      // MySQL refuses a grant on a table that does not exist yet (error 1146), hence the dependency on the tables.
      table: "users",
      privileges: wanted.privileges,
    },
    // Nor could the provider revoke it: it begins with REVOKE GRANT OPTION, which MySQL answers with error 1141 or
    // 1147.
    { parent, provider, dependsOn, deletedWith: user, retainOnDelete: true, replacementTrigger: args.serverId },
  );
}

/**
 * Lets the user keep its old password beside a new one. On itself any user may change the password; only this privilege
 * makes it two, and it reaches no other account.
 * https://dev.mysql.com/doc/refman/8.4/en/privileges-provided.html#priv_application-password-admin
 */
function grantOwnPasswords({ name, parent, args, provider }: Making, user: mysql.User): mysql.Grant {
  return new mysql.Grant(
    `${name}-user-passwords`,
    {
      user: user.user,
      host: user.host.apply((host) => host ?? "%"),
      database: "*",
      table: "*",
      privileges: ["APPLICATION_PASSWORD_ADMIN"],
    },
    // Unlike a table's grant this one can be revoked: on *.* MySQL takes the provider's REVOKE GRANT OPTION.
    // In this order, since both are the same privilege to MySQL: to revoke the old one last would take the new one away.
    { parent, provider, deletedWith: user, replacementTrigger: args.serverId, deleteBeforeReplace: true },
  );
}
