import type { SchemaServer } from "./connection";

/** One change of the schema after the baseline. */
export interface Migration {
  /** The file's name without its ending: four digits and a name, such as `0001_add_order_status`. */
  readonly name: string;
  /** Content of the file. */
  readonly sql: string;
}

/** The function's database user, who works from anywhere and by TLS only. */
export interface SchemaUser {
  readonly name: string;
  readonly password: string;
  /** What the user may do with the table `users`, for example `INSERT`; and all it may do. */
  readonly privileges: readonly string[];
  /**
   * Whether the user changes its own password: then it keeps the one it has and may have two at once, and `password` is
   * just the first one.
   */
  readonly rotated: boolean;
}

/** What a server should hold. */
export interface SchemaPlan {
  /** The only database that is made or touched. */
  readonly database: string;
  /** Content of the schema file, with which the tables begin. */
  readonly sql: string;
  /** @default none */
  readonly migrations?: readonly Migration[];
  /** @default no user is made or changed */
  readonly user?: SchemaUser;
}

/** What the function inside the VPC is invoked with, to apply a plan. */
export interface ApplyEvent extends Required<SchemaPlan> {
  readonly server: SchemaServer;
}

/** What it is invoked with to tell how the tables are; it then changes nothing. */
export interface CheckEvent extends Pick<SchemaPlan, "database"> {
  readonly check: true;
  readonly server: SchemaServer;
}
