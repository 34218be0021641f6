import { readFileSync } from "node:fs";
import path from "node:path";
import * as mysql from "@pulumi/mysql";
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import { SchemaFile } from "./schemaProvider";

/** What {@link DatabaseSchema} needs. */
export interface DatabaseSchemaArgs {
  /** The database instance: when it is deleted, all of this went with it, and nothing is deleted one by one. */
  readonly instance: pulumi.Resource;
  /** Host name of the instance. */
  readonly address: pulumi.Input<string>;
  readonly port: pulumi.Input<number>;
  /** The administrator, by whom everything here is made. */
  readonly adminUsername: pulumi.Input<string>;
  readonly adminPassword: pulumi.Input<string>;
  /** The certificate authorities that vouch for the instance, PEM text: see `rdsAuthorities`. */
  readonly authorities: pulumi.Input<string>;
  /**
   * Whether the environment gives the mysql provider these authorities too (`SSL_CERT_FILE` names a bundle with them):
   * then it verifies the server, otherwise it encrypts only, and the component warns. @default false
   */
  readonly verifiedByBundle?: boolean;
  /** The database; the schema file must name the same. A change makes another one and leaves the old. @default "ecommerce_db" */
  readonly databaseName?: pulumi.Input<string>;
  /** Content of the schema file. @default `schema/ecommerceSchema.sql` */
  readonly sql?: pulumi.Input<string>;
  /** The function's user. A change replaces the user. @default "ecommerce_register" */
  readonly userName?: pulumi.Input<string>;
  /** What that user may do with the table `users`, and all it may do. @default ["INSERT", "SELECT"] */
  readonly userPrivileges?: pulumi.Input<string>[];
  /**
   * Whether the user changes its own password after the first one, as `SecretRotation` does: it may then have two at
   * once. Turned off again, user and secret get a new password of the program's. @default false
   */
  readonly rotated?: boolean;
  /** Whether Pulumi refuses to delete the database's resource. Its rows survive either way. @default false */
  readonly protect?: boolean;
}

/**
 * The documented schema (S3): the database `ecommerce_db` with its six tables, and the user by whom the function
 * writes into `users`. It never drops a database, a table or a row.
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

  constructor(name: string, args: DatabaseSchemaArgs, opts?: pulumi.ComponentResourceOptions) {
    super("ecommerce:database:DatabaseSchema", name, {}, opts);
    const databaseName = args.databaseName ?? "ecommerce_db";
    const made: Making = { name, parent: this, args, databaseName, provider: administrator(name, this, args) };

    const database = createDatabase(made);
    const tables = applyFile(made, database);
    const { user, password } = createUser(made);
    this.grant = grantUsers(made, user, [tables, user]);
    this.passwordGrant = args.rotated ? grantOwnPasswords(made, user) : undefined;

    this.databaseName = database.name;
    this.userName = user.user;
    this.userPassword = password;
    this.tables = tables;
    this.registerOutputs({
      databaseName: this.databaseName,
      userName: this.userName,
      userPassword: this.userPassword,
    });
  }
}

/** What the steps share. */
interface Making {
  readonly name: string;
  readonly parent: pulumi.Resource;
  readonly args: DatabaseSchemaArgs;
  readonly databaseName: pulumi.Input<string>;
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
    { parent },
  );
}

function createDatabase({ name, parent, args, databaseName, provider }: Making): mysql.Database {
  return new mysql.Database(
    `${name}-database`,
    { name: databaseName, defaultCharacterSet: "utf8mb4", defaultCollation: "utf8mb4_0900_ai_ci" },
    // To delete or replace this resource is to DROP DATABASE; retained, it is only forgotten.
    { parent, provider, retainOnDelete: true, protect: args.protect ?? false, deletedWith: args.instance },
  );
}

function applyFile({ name, parent, args, databaseName }: Making, database: mysql.Database): SchemaFile {
  return new SchemaFile(
    `${name}-tables`,
    {
      host: args.address,
      port: args.port,
      username: args.adminUsername,
      password: args.adminPassword,
      authorities: args.authorities,
      databaseName,
      sql: args.sql ?? readFileSync(path.join(__dirname, "../schema/ecommerceSchema.sql"), "utf8"),
    },
    { parent, dependsOn: [database], deletedWith: args.instance },
  );
}

function createUser({ name, parent, args, provider }: Making) {
  // Letters and digits only: the provider splices the password into its SQL.
  const password = new random.RandomPassword(
    `${name}-user-password`,
    {
      length: 32,
      special: false,
      // Drawn anew when rotation is turned off: then, and not at some later change, user and secret get it together.
      ...(args.rotated ? { keepers: { rotated: "true" } } : {}),
    },
    { parent },
  );
  const user = new mysql.User(
    `${name}-user`,
    {
      user: args.userName ?? "ecommerce_register",
      host: "%",
      plaintextPassword: password.result,
      tlsOption: "SSL",
    },
    { parent, provider, deletedWith: args.instance, ignoreChanges: args.rotated ? ["plaintextPassword"] : [] },
  );
  return { user, password: pulumi.secret(password.result) };
}

function grantUsers(making: Making, user: mysql.User, dependsOn: pulumi.Resource[]): mysql.Grant {
  const { name, parent, args, databaseName, provider } = making;
  return new mysql.Grant(
    `${name}-user-grant`,
    {
      user: user.user,
      host: user.host.apply((host) => host ?? "%"),
      database: databaseName,
      // MySQL refuses a grant on a table that does not exist yet (error 1146), hence the dependency on the tables.
      table: "users",
      privileges: args.userPrivileges ?? ["INSERT", "SELECT"],
    },
    // The provider cannot revoke: it begins with REVOKE GRANT OPTION, which MySQL answers with error 1141 or 1147. So the
    // resource is only ever forgotten; dropping the user drops its grants.
    { parent, provider, dependsOn, deletedWith: user, retainOnDelete: true },
  );
}

/**
 * Lets the user keep its old password beside a new one. On itself any user may change the password; only this privilege
 * makes it two, and it reaches no other account.
 * https://dev.mysql.com/doc/refman/8.4/en/privileges-provided.html#priv_application-password-admin
 */
function grantOwnPasswords({ name, parent, provider }: Making, user: mysql.User): mysql.Grant {
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
    { parent, provider, deletedWith: user },
  );
}
