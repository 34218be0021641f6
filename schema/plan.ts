import type { SchemaServer } from "./connection";

/** One change of the schema after the baseline. */
export interface Migration {
  /** The file's name without its ending: four digits and a name, such as `0001_add_order_status`. */
  readonly name: string;
  /** Content of the file. */
  readonly sql: string;
}

/** The function's database user. It may connect from any host, by TLS only. */
export interface SchemaUser {
  readonly name: string;
  readonly password: string;
  /** The user's privileges on the table `users`, for example `INSERT`. It has no others. */
  readonly privileges: readonly string[];
  /**
   * Whether the user changes its own password. If so, an existing user keeps its password and may have two at once, and
   * `password` is only the first one.
   */
  readonly rotated: boolean;
}

/** The content that a server should have. */
export interface SchemaPlan {
  /** The only database that is created or changed. */
  readonly database: string;
  /** Content of the schema file: the tables before any migration. */
  readonly sql: string;
  /** @default none */
  readonly migrations?: readonly Migration[];
  /** @default no user is made or changed */
  readonly user?: SchemaUser;
}

/** The event for the function inside the VPC that applies a plan. */
export interface ApplyEvent extends Required<SchemaPlan> {
  readonly server: SchemaServer;
}

/** The event for the same function that only reads the definitions of the tables. */
export interface CheckEvent extends Pick<SchemaPlan, "database"> {
  readonly check: true;
  readonly server: SchemaServer;
}
