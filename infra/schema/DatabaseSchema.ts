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
  /** The instance or cluster: its deletion deletes everything on it, so nothing here is deleted one by one. */
  readonly server: pulumi.Resource;
  /** {@link DatabaseServer.resourceId}: on another server everything here is made again. */
  readonly serverId: pulumi.Input<string>;
  /** Host name of the server. */
  readonly address: pulumi.Input<string>;
  readonly port: pulumi.Input<number>;
  /** The administrator, who makes everything here. */
  readonly adminUsername: pulumi.Input<string>;
  readonly adminPassword: pulumi.Input<string>;
  /** The certificate authorities to verify the server with, PEM text: see `rdsCaCerts`. */
  readonly authorities: pulumi.Input<string>;
  /**
   * If given, a function in these subnets makes everything, and the machine that runs Pulumi needs no connection to the
   * database. Otherwise that machine makes everything, with the mysql provider. A change between the two makes new
   * resources in Pulumi's state and deletes nothing on the server.
   */
  readonly viaLambda?: ViaLambdaArgs;
  /**
   * Whether the environment gives the mysql provider these authorities too (`SSL_CERT_FILE` names a bundle with them):
   * then it verifies the server, otherwise it encrypts only, and the component warns. Without effect if `viaLambda` is
   * given, since the function always verifies. @default false
   */
  readonly verifiedByBundle?: boolean;
  /**
   * The database; the schema file must name the same. A change makes another one and keeps the old. Only tests set it:
   * `functions/` and `operations/` use the default only. @default "ecommerce_db"
   */
  readonly databaseName?: pulumi.Input<string>;
  /** Content of the schema file. @default `schema/ecommerceSchema.sql` */
  readonly sql?: pulumi.Input<string>;
  /** The changes after the schema file, in any order. @default those of `schema/migrations` */
  readonly migrations?: readonly Migration[];
  /**
   * The function's user. A change makes another one and keeps the old. Only tests set it.
   * @default "ecommerce_register"
   */
  readonly userName?: pulumi.Input<string>;
  /** The user's privileges, on the table `users` only. Only tests set them. @default ["INSERT", "SELECT"] */
  readonly userPrivileges?: pulumi.Input<string>[];
  /**
   * Whether the user changes its own password after the first one, as `SecretRotation` does: it may then have two at
   * once. When this is turned off again, the program sets a new password of user and secret. @default false
   */
  readonly rotated?: boolean;
}

/**
 * The documented schema (S3): the database `ecommerce_db` with its six tables, the migrations after it, and the user
 * with which the function writes into `users`. It never drops a database or a user, and deletes a row only if a
 * migration does.
 */
export class DatabaseSchema extends pulumi.ComponentResource {
  readonly databaseName: pulumi.Output<string>;
  readonly userName: pulumi.Output<string>;
  /** 32 letters and digits; a secret. */
  readonly userPassword: pulumi.Output<string>;
  /** Depend on this if the tables must exist. */
  readonly tables: pulumi.Resource;
  /** Depend on this if the function's user must be able to write. */
  readonly grant: pulumi.Resource;
  /** Depend on this if the user must be able to have two passwords; undefined unless `rotated`. */
  readonly passwordGrant: pulumi.Resource | undefined;

  /** @throws SchemaError if the files are refused ({@link checkedFiles}), before anything is registered */
  constructor(name: string, args: DatabaseSchemaArgs, opts?: pulumi.ComponentResourceOptions) {
    super("ecommerce:database:DatabaseSchema", name, {}, opts);
    const databaseName = args.databaseName ?? "ecommerce_db";
    const desired: DesiredSchema = {
      databaseName,
      files: checkedFiles(args.sql ?? readSchemaFile(), args.migrations ?? readMigrations(), databaseName),
      userName: args.userName ?? "ecommerce_register",
      password: userPassword(name, this, args.rotated ?? false),
      privileges: args.userPrivileges ?? ["INSERT", "SELECT"],
    };
    const created = args.viaLambda
      ? createViaLambda(name, this, args, args.viaLambda, desired)
      : createViaProvider(name, this, args, desired);

    this.databaseName = created.databaseName;
    this.userName = created.userName;
    this.userPassword = pulumi.secret(desired.password);
    this.tables = created.tables;
    this.grant = created.grant;
    this.passwordGrant = created.passwordGrant;
    this.registerOutputs({
      databaseName: this.databaseName,
      userName: this.userName,
      userPassword: this.userPassword,
    });
  }
}

/** The desired state, whichever way makes it. */
interface DesiredSchema {
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
      // Generated anew when rotation is turned off, so that user and secret get the new password in that deployment.
      ...(rotated ? { keepers: { rotated: "true" } } : {}),
    },
    { parent },
  );
  return password.result;
}

/** Makes everything by one invocation of a function in the VPC. */
function createViaLambda(
  name: string,
  parent: pulumi.Resource,
  args: DatabaseSchemaArgs,
  viaLambda: ViaLambdaArgs,
  desired: DesiredSchema,
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
      database: desired.databaseName,
      files: desired.files,
      user: { name: desired.userName, password: desired.password, privileges: desired.privileges, rotated },
      viaLambda,
      deletedWith: args.server,
      serverId: args.serverId,
    },
    parent,
  );
  // The URN is known in a preview, so the values are too; in an update they wait for the invocation.
  const after = <T>(value: pulumi.Input<T>) => pulumi.all([value, applied.urn]).apply(([known]) => known as T);
  return {
    databaseName: after(desired.databaseName),
    userName: after(desired.userName),
    tables: applied,
    grant: applied,
    passwordGrant: rotated ? applied : undefined,
  };
}

/**
 * Makes everything from this machine, which must reach the database: the files by a dynamic provider, the rest by
 * mysql's.
 */
function createViaProvider(
  name: string,
  parent: pulumi.Resource,
  args: DatabaseSchemaArgs,
  desired: DesiredSchema,
): CreatedSchema {
  const context: ProviderContext = { name, parent, args, desired, provider: administrator(name, parent, args) };
  const database = createDatabase(context);
  const tables = applyFiles(context, database);
  const user = createUser(context);
  const grant = grantUsers(context, user, [tables, user]);
  const passwordGrant = args.rotated ? grantOwnPasswords(context, user) : undefined;
  return { databaseName: database.name, userName: user.user, tables, grant, passwordGrant };
}

/** What the steps share. */
interface ProviderContext {
  readonly name: string;
  readonly parent: pulumi.Resource;
  readonly args: DatabaseSchemaArgs;
  readonly desired: DesiredSchema;
  readonly provider: mysql.Provider;
}

function administrator(name: string, parent: pulumi.Resource, args: DatabaseSchemaArgs): mysql.Provider {
  if (!args.verifiedByBundle) {
    const warning =
      "The connection that makes the database and its user is encrypted, but the server is not verified. " +
      "Run `npm run ca-bundle`, then the line it prints, then Pulumi again.";
    // A warning that cannot be shown must not fail the deployment.
    pulumi.log.warn(warning, parent).catch(() => undefined);
  }
  return new mysql.Provider(
    `${name}-mysql`,
    {
      endpoint: pulumi.interpolate`${args.address}:${args.port}`,
      username: args.adminUsername,
      password: args.adminPassword,
      // The provider has no option for authorities: with "true" it trusts Go's authorities; on Linux SSL_CERT_FILE sets
      // them.
      tls: args.verifiedByBundle ? "true" : "skip-verify",
    },
    { parent, dependsOn: [args.server] },
  );
}

/*
 * Resources on the server are retained: when they are removed from the program, which also happens when the database
 * becomes private, Pulumi only removes them from its state. To delete them would drop the user that the function uses,
 * or the database with all its rows, and need a connection that may no longer exist. For the same reason they are not
 * protected: `protect` would refuse to remove them from the state. The server itself is protected.
 */

function createDatabase({ name, parent, args, desired, provider }: ProviderContext): mysql.Database {
  return new mysql.Database(
    `${name}-database`,
    { name: desired.databaseName, defaultCharacterSet: "utf8mb4", defaultCollation: "utf8mb4_0900_ai_ci" },
    { parent, provider, retainOnDelete: true, deletedWith: args.server, replacementTrigger: args.serverId },
  );
}

function applyFiles({ name, parent, args, desired }: ProviderContext, database: mysql.Database): SchemaFile {
  return new SchemaFile(
    `${name}-tables`,
    {
      host: args.address,
      port: args.port,
      username: args.adminUsername,
      password: args.adminPassword,
      authorities: args.authorities,
      databaseName: desired.databaseName,
      sql: desired.files.sql,
      migrations: desired.files.migrations,
    },
    { parent, dependsOn: [database], deletedWith: args.server, replacementTrigger: args.serverId },
  );
}

function createUser({ name, parent, args, desired, provider }: ProviderContext): mysql.User {
  return new mysql.User(
    `${name}-user`,
    { user: desired.userName, host: "%", plaintextPassword: desired.password, tlsOption: "SSL" },
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

function grantUsers(context: ProviderContext, user: mysql.User, dependsOn: pulumi.Resource[]): mysql.Grant {
  const { name, parent, args, desired, provider } = context;
  return new mysql.Grant(
    `${name}-user-grant`,
    {
      user: user.user,
      host: user.host.apply((host) => host ?? "%"),
      database: desired.databaseName,
      // MySQL refuses a grant on a table that does not exist yet (error 1146), so this depends on the tables.
      table: "users",
      privileges: desired.privileges,
    },
    // Retained, since the provider cannot revoke it: it starts with REVOKE GRANT OPTION, to which MySQL answers with
    // error 1141 or 1147.
    { parent, provider, dependsOn, deletedWith: user, retainOnDelete: true, replacementTrigger: args.serverId },
  );
}

/**
 * Lets the user keep its old password beside a new one. Any user may change its own password; to have two it needs this
 * privilege, which does not apply to other accounts.
 * https://dev.mysql.com/doc/refman/8.4/en/privileges-provided.html#priv_application-password-admin
 */
function grantOwnPasswords({ name, parent, args, provider }: ProviderContext, user: mysql.User): mysql.Grant {
  return new mysql.Grant(
    `${name}-user-passwords`,
    {
      user: user.user,
      host: user.host.apply((host) => host ?? "%"),
      database: "*",
      table: "*",
      privileges: ["APPLICATION_PASSWORD_ADMIN"],
    },
    // Unlike a table's grant this one can be revoked: on *.* MySQL accepts the provider's REVOKE GRANT OPTION.
    // The old one is revoked first, since both are the same privilege in MySQL: revoking last would remove the new one.
    { parent, provider, deletedWith: user, replacementTrigger: args.serverId, deleteBeforeReplace: true },
  );
}
