/** `aws:rds/parameterGroup:ParameterGroup` and `aws:rds/instance:Instance`, made on the one server of this machine. */
import { createHash } from "node:crypto";
import type { Made, Registered, Site } from "../host/part";
import { Inputs } from "./inputs";
import { showVersion, type Version } from "./program";
import { type Session, StatementError } from "./session";
import { account, identifier, quote } from "./sql";

/** What the makers need of the server. */
export interface InstanceServer {
  readonly site: Site;
  readonly port: number;
  readonly version: Version;
  /** The administrator's name, which no master user may have. */
  readonly administrator: string;
  /** Works as the administrator. */
  asAdministrator<T>(work: (session: Session) => Promise<T>): Promise<T>;
  /** Sets one parameter of the parameter group; says where it cannot. */
  setParameter(session: Session, name: string, value: string): Promise<void>;
}

/**
 * What RDS gives its master user, on everything and with the right to pass it on.
 * https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.MasterAccounts.html (row "RDS for MySQL")
 */
const masterPrivileges = [
  ..."SELECT INSERT UPDATE DELETE CREATE DROP RELOAD PROCESS REFERENCES INDEX ALTER EXECUTE EVENT TRIGGER".split(" "),
  ...["SHOW DATABASES", "CREATE TEMPORARY TABLES", "LOCK TABLES", "REPLICATION SLAVE", "REPLICATION CLIENT"],
  ...["CREATE VIEW", "SHOW VIEW", "CREATE ROUTINE", "ALTER ROUTINE", "CREATE USER", "CREATE ROLE", "DROP ROLE"],
  ...["APPLICATION_PASSWORD_ADMIN", "ROLE_ADMIN", "XA_RECOVER_ADMIN"],
];

/** MySQL 8.2 split SET_USER_ID in two, of which RDS allows one (…/Appendix.MySQL.CommonDBATasks.dynamic-privileges.html). */
export function masterPrivilegesFor({ major, minor }: Version): readonly string[] {
  return [...masterPrivileges, major > 8 || minor >= 2 ? "SET_ANY_DEFINER" : "SET_USER_ID"];
}

interface Group {
  readonly family: string;
  readonly parameters: ReadonlyMap<string, string>;
}

/** @returns the makers by type token */
export function instanceMakers(server: InstanceServer) {
  const groups = new Map<string, Group>();
  let only: string | undefined;
  return {
    "aws:rds/parameterGroup:ParameterGroup": (resource: Registered): Made => {
      const { name, group, outputs } = readGroup(resource, server.site);
      groups.set(name, group);
      return { id: name, outputs };
    },
    "aws:rds/instance:Instance": async (resource: Registered): Promise<Made> => {
      const inputs = new Inputs(resource);
      if (only !== undefined && only !== resource.name) {
        throw inputs.fault(`this machine runs one database instance, and "${only}" is it already.`);
      }
      only = resource.name;
      return makeInstance(resource, inputs, groups, server);
    },
  };
}

function readGroup(resource: Registered, site: Site) {
  const inputs = new Inputs(resource);
  const rule = "1 to 255 letters, digits and single hyphens, beginning with a letter";
  const given = inputs.optional("name", rule, /^[a-z](?!.*--)[a-z0-9-]{0,253}[a-z0-9]$|^[a-z]$/i);
  const name = given ?? resource.name.toLowerCase();
  const family = inputs.required("family", "a MySQL family such as mysql8.4", /^mysql\d+\.\d+$/);
  const parameters = new Map<string, string>();
  const listed = resource.inputs.parameters ?? [];
  if (!Array.isArray(listed)) throw inputs.fault("parameters must be a list of {name, value}.");
  for (const entry of listed as { name?: unknown; value?: unknown }[]) {
    if (typeof entry.name !== "string" || !/^[a-z][a-z0-9_]*$/.test(entry.name) || entry.value === undefined) {
      throw inputs.fault(`parameters holds ${JSON.stringify(entry)}, and takes {name, value}.`);
    }
    parameters.set(entry.name, String(entry.value));
  }
  const arn = `arn:aws:rds:${site.region}:${site.accountId}:pg:${name}`;
  return { name, group: { family, parameters }, outputs: { name, arn, skipDestroy: false } };
}

async function makeInstance(
  resource: Registered,
  inputs: Inputs,
  groups: ReadonlyMap<string, Group>,
  server: InstanceServer,
): Promise<Made> {
  const { site, port } = server;
  const wanted = readInstance(resource, inputs);
  if (wanted.username === server.administrator) {
    throw inputs.fault(`username is ${wanted.username}, which is this machine's administrator: choose another name.`);
  }
  checkVersion(wanted.engineVersion, inputs, server);
  const group = findGroup(inputs, groups, wanted.engineVersion);

  await server.asAdministrator(async (session) => {
    for (const [name, value] of group?.parameters ?? []) await setParameter(session, name, value, inputs, server);
    const master = account(wanted.username, "%");
    const doing = `the master user ${wanted.username} could not be made`;
    await session.run(doing, `CREATE USER IF NOT EXISTS ${master}`);
    await session.run(doing, `ALTER USER ${master} IDENTIFIED BY ${quote(wanted.password)}`);
    const privileges = masterPrivilegesFor(server.version).join(", ");
    await session.run(doing, `GRANT ${privileges} ON *.* TO ${master} WITH GRANT OPTION`);
    if (wanted.dbName !== undefined) {
      const creating = `the database ${wanted.dbName} could not be made`;
      await session.run(creating, `CREATE DATABASE IF NOT EXISTS ${identifier(wanted.dbName)}`);
    }
  });

  const resourceId = `db-${createHash("sha256").update(wanted.identifier).digest("hex").slice(0, 26).toUpperCase()}`;
  return {
    id: resourceId,
    outputs: {
      identifier: wanted.identifier,
      resourceId,
      arn: `arn:aws:rds:${site.region}:${site.accountId}:db:${wanted.identifier}`,
      address: "localhost",
      endpoint: `localhost:${port}`,
      port,
      status: "available",
      engineVersionActual: showVersion(server.version),
      availabilityZone: `${site.region}a`,
      caCertIdentifier: "rds-ca-rsa2048-g1",
      masterUserSecrets: [],
      replicas: [],
    },
  };
}

/**
 * Holds the inputs against what CreateDBInstance accepts.
 * https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBInstance.html
 */
function readInstance(resource: Registered, inputs: Inputs) {
  const engine = inputs.required("engine", "mysql, the only engine of this machine", /^mysql$/);
  const engineVersion = inputs.optional("engineVersion", "a version such as 8.4 or 8.4.6", /^\d+\.\d+(\.\d+)?$/);
  const identifierRule = "1 to 63 lowercase letters, digits and single hyphens, beginning with a letter";
  const given = inputs.optional("identifier", identifierRule, /^[a-z](?!.*--)([a-z0-9-]{0,61}[a-z0-9])?$/);
  const nameRule = "1 to 16 letters, digits and underscores, beginning with a letter, and not RDS's own (rdsadmin …)";
  const username = inputs.required("username", nameRule, /^(?!(rds\w*|root|mysql\w*)$)[a-z]\w{0,15}$/i);
  if (inputs.boolean("manageMasterUserPassword") === true) {
    throw inputs.fault("manageMasterUserPassword is not supported on this machine: give a password.");
  }
  const passwordRule = '8 to 41 printable ASCII characters without / " @ and blanks';
  const password = inputs.required("password", passwordRule, /^(?!.*[/"@ ])[\x21-\x7e]{8,41}$/);
  const dbNameRule = "1 to 64 letters, digits and underscores, beginning with a letter";
  const dbName = inputs.optional("dbName", dbNameRule, /^[a-z]\w{0,63}$/i);
  range(inputs, "allocatedStorage", 20, 65_536, "GiB");
  range(inputs, "backupRetentionPeriod", 0, 35, "days");
  range(inputs, "port", 1150, 65_535, "the port");
  return { engine, engineVersion, identifier: given ?? resource.name.toLowerCase(), username, password, dbName };
}

function range(inputs: Inputs, key: string, least: number, most: number, unit: string): void {
  const value = inputs.number(key);
  if (value === undefined || (value >= least && value <= most)) return;
  throw inputs.fault(`${key} is ${value}, and must be ${least} to ${most} (${unit}).`);
}

/** Another version runs here than on AWS more often than not; that is worth a line and no more. */
function checkVersion(wanted: string | undefined, inputs: Inputs, { site, version }: InstanceServer): void {
  if (wanted === undefined) return;
  const [major, minor] = wanted.split(".").map(Number);
  if (major !== undefined && major < 8) throw inputs.fault(`engineVersion is ${wanted}, and must be 8.0 or newer.`);
  if (major === version.major && minor === version.minor) return;
  site.say(`Note: the program asks for MySQL ${wanted}, and ${showVersion(version)} runs on this machine.`);
}

function findGroup(
  inputs: Inputs,
  groups: ReadonlyMap<string, Group>,
  engineVersion: string | undefined,
): Group | undefined {
  const name = inputs.string("parameterGroupName");
  if (name === undefined || name.startsWith("default.")) return undefined;
  const group = groups.get(name);
  if (group === undefined) throw inputs.fault(`parameterGroupName is ${name}, and no such group is registered.`);
  const series = engineVersion?.split(".").slice(0, 2).join(".");
  if (series !== undefined && group.family !== `mysql${series}`) {
    throw inputs.fault(`the parameter group ${name} is for ${group.family}, and engineVersion is ${engineVersion}.`);
  }
  return group;
}

async function setParameter(
  session: Session,
  name: string,
  value: string,
  inputs: Inputs,
  server: InstanceServer,
): Promise<void> {
  try {
    await server.setParameter(session, name, value);
  } catch (error) {
    const number = error instanceof StatementError ? error.number : undefined;
    // ER_UNKNOWN_SYSTEM_VARIABLE, ER_INCORRECT_GLOBAL_LOCAL_VAR (it can be set at the start only).
    if (number === 1193) throw inputs.fault(`its parameter group sets ${name}, which this MySQL does not know.`);
    if (number !== 1238) throw error;
    server.site.say(
      `Note: the parameter ${name} can only be set when MySQL starts, and is not applied on this machine.`,
    );
  }
}
