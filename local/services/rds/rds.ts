/** What `aws:rds` instances and clusters share on this machine: one MySQL server, its master user and its name. */
import { createHash } from "node:crypto";
import { provisioningError, type ResourceRegistration } from "../../../host/resources";
import { boolean, number, optional, required } from "../../lib/inputs";
import type { ServiceContext } from "../../lib/service";
import { showVersion, type Version } from "../../mysql/program";
import { type Session, StatementError } from "../../mysql/session";
import { account, identifier, quote } from "../../mysql/sql";
import type { Parameters } from "./parameterGroups";

/** What the handlers need of the server. */
export interface RdsServer {
  readonly context: ServiceContext;
  readonly port: number;
  readonly version: Version;
  /** The administrator's name, which no master user may have. */
  readonly administrator: string;
  /** Opens a session as the administrator. */
  asAdministrator<T>(work: (session: Session) => Promise<T>): Promise<T>;
  /** Sets one parameter of a parameter group, or reports that it cannot. */
  setParameter(session: Session, name: string, value: string): Promise<void>;
}

/** The one database that runs here, as the program named it. */
export interface Database {
  readonly kind: "instance" | "cluster";
  readonly identifier: string;
  /** For example `db-…` or `cluster-…`. */
  readonly resourceId: string;
}

/** Makes sure that the program registers one database only: this machine has one server. */
export class OnlyDatabase {
  #claimed: { readonly database: Database; readonly type: string; readonly name: string } | undefined;

  get database(): Database | undefined {
    return this.#claimed?.database;
  }

  /** @throws CommandError if another resource is the database already */
  claim(database: Database, resource: ResourceRegistration): void {
    const { type, name } = resource;
    if (this.#claimed !== undefined && (this.#claimed.type !== type || this.#claimed.name !== name)) {
      throw provisioningError(
        resource,
        `this machine runs one database, and "${this.#claimed.name}" is that database already.`,
      );
    }
    this.#claimed = { database, type, name };
  }
}

/**
 * The privileges that RDS grants its master user, on `*.*` and WITH GRANT OPTION; Aurora grants some more.
 * https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.MasterAccounts.html (row "RDS for MySQL")
 */
const masterPrivileges = [
  ..."SELECT INSERT UPDATE DELETE CREATE DROP RELOAD PROCESS REFERENCES INDEX ALTER EXECUTE EVENT TRIGGER".split(" "),
  ...["SHOW DATABASES", "CREATE TEMPORARY TABLES", "LOCK TABLES", "REPLICATION SLAVE", "REPLICATION CLIENT"],
  ...["CREATE VIEW", "SHOW VIEW", "CREATE ROUTINE", "ALTER ROUTINE", "CREATE USER", "CREATE ROLE", "DROP ROLE"],
  ...["APPLICATION_PASSWORD_ADMIN", "ROLE_ADMIN", "XA_RECOVER_ADMIN"],
];

/** MySQL 8.2 split SET_USER_ID in two, of which RDS allows one (…/Appendix.MySQL.CommonDBATasks.dynamic-privileges.html). */
function masterPrivilegesFor({ major, minor }: Version): readonly string[] {
  return [...masterPrivileges, major > 8 || minor >= 2 ? "SET_ANY_DEFINER" : "SET_USER_ID"];
}

export interface Master {
  readonly username: string;
  readonly password: string;
  /** The database that is created together with the server. */
  readonly database: string | undefined;
}

/** Reads the master user. The names of the inputs differ between an instance and a cluster. */
export function readMaster(
  resource: ResourceRegistration,
  keys: Readonly<Record<keyof Master, string>>,
  server: RdsServer,
): Master {
  const nameRule = "1 to 16 letters, digits and underscores, beginning with a letter, and not RDS's own (rdsadmin …)";
  const username = required(resource, keys.username, nameRule, /^(?!(rds\w*|root|mysql\w*)$)[a-z]\w{0,15}$/i);
  if (username === server.administrator) {
    throw provisioningError(
      resource,
      `${keys.username} is ${username}, which is this machine's administrator: choose another name.`,
    );
  }
  if (boolean(resource, "manageMasterUserPassword") === true) {
    throw provisioningError(
      resource,
      `manageMasterUserPassword is not supported on this machine: give a ${keys.password}.`,
    );
  }
  const passwordRule = '8 to 41 printable ASCII characters without / " @ and blanks';
  const password = required(resource, keys.password, passwordRule, /^(?!.*[/"@ ])[\x21-\x7e]{8,41}$/);
  const databaseRule = "1 to 64 letters, digits and underscores, beginning with a letter";
  return { username, password, database: optional(resource, keys.database, databaseRule, /^[a-z]\w{0,63}$/i) };
}

/** Sets what a new server has: its parameters, its master user and its first database. */
export function makeMaster(
  server: RdsServer,
  resource: ResourceRegistration,
  master: Master,
  parameters: Parameters,
): Promise<void> {
  return server.asAdministrator(async (session) => {
    for (const [name, value] of parameters) await setParameter(session, name, value, resource, server);
    const user = account(master.username, "%");
    const doing = `the master user ${master.username} could not be created`;
    await session.run(doing, `CREATE USER IF NOT EXISTS ${user}`);
    await session.run(doing, `ALTER USER ${user} IDENTIFIED BY ${quote(master.password)}`);
    const privileges = masterPrivilegesFor(server.version).join(", ");
    await session.run(doing, `GRANT ${privileges} ON *.* TO ${user} WITH GRANT OPTION`);
    if (master.database !== undefined) {
      const creating = `the database ${master.database} could not be created`;
      await session.run(creating, `CREATE DATABASE IF NOT EXISTS ${identifier(master.database)}`);
    }
  });
}

async function setParameter(
  session: Session,
  name: string,
  value: string,
  resource: ResourceRegistration,
  server: RdsServer,
): Promise<void> {
  try {
    await server.setParameter(session, name, value);
  } catch (error) {
    const number = error instanceof StatementError ? error.number : undefined;
    // ER_UNKNOWN_SYSTEM_VARIABLE, ER_INCORRECT_GLOBAL_LOCAL_VAR (it can be set at the start only).
    const onlyAurora = number === 1193 && /^(aurora|server_audit)_/.test(name);
    if (number === 1193 && !onlyAurora) {
      throw provisioningError(resource, `its parameter group sets ${name}, which does not exist in this MySQL.`);
    }
    if (number !== 1238 && !onlyAurora) throw error;
    const why = onlyAurora ? "is Aurora's own" : "can only be set when MySQL starts";
    server.context.info(`Note: the parameter ${name} ${why}, and is not applied on this machine.`);
  }
}

/**
 * Prints a note if the local version differs from the one on AWS, as it often does.
 * @throws CommandError for a version before 8.0
 */
export function checkVersion(
  requested: string | undefined,
  resource: ResourceRegistration,
  { context, version }: RdsServer,
): void {
  if (requested === undefined) return;
  const [major, minor] = requested.split(".").map(Number);
  if (major !== undefined && major < 8)
    throw provisioningError(resource, `engineVersion is ${requested}, and must be 8.0 or newer.`);
  if (major === version.major && minor === version.minor) return;
  const here = `${showVersion(version)} runs on this machine`;
  context.info(`Note: the program asks for MySQL ${requested}, and ${here}: any version from 8.0 on works here.`);
}

/** The identifier that the program gives, else the resource's logical name in lower case. */
export function readIdentifier(resource: ResourceRegistration, key: string): string {
  const rule = "1 to 63 lowercase letters, digits and single hyphens, beginning with a letter";
  const given = optional(resource, key, rule, /^[a-z](?!.*--)([a-z0-9-]{0,61}[a-z0-9])?$/);
  return given ?? resource.name.toLowerCase();
}

/** @throws CommandError if the value is given and out of range */
export function range(resource: ResourceRegistration, key: string, least: number, most: number, unit: string): void {
  const value = number(resource, key);
  if (value === undefined || (value >= least && value <= most)) return;
  throw provisioningError(resource, `${key} is ${value}, and must be ${least} to ${most} (${unit}).`);
}

/** The resource ID that AWS would assign, the same at each start: for example `db-` and 26 letters and digits. */
export function resourceIdOf(prefix: string, name: string): string {
  return `${prefix}-${createHash("sha256").update(name).digest("hex").slice(0, 26).toUpperCase()}`;
}
