/** `aws:rds/instance:Instance`, created on the one server of this machine. */

import type { CreateResult, ResourceRegistration } from "../../../host/resources";
import { optional, required } from "../../lib/inputs";
import { showVersion } from "../../mysql/program";
import type { ParameterGroups } from "./parameterGroups";
import {
  checkVersion,
  makeMaster,
  type OnlyDatabase,
  type RdsServer,
  range,
  readIdentifier,
  readMaster,
  resourceIdOf,
} from "./rds";

const masterKeys = { username: "username", password: "password", database: "dbName" };

/**
 * Checks the inputs against what CreateDBInstance accepts, and creates the instance.
 * https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBInstance.html
 */
export async function makeInstance(
  resource: ResourceRegistration,
  groups: ParameterGroups,
  only: OnlyDatabase,
  server: RdsServer,
): Promise<CreateResult> {
  const { context, port, version } = server;
  required(resource, "engine", "mysql, the only engine of an instance on this machine", /^mysql$/);
  const engineVersion = optional(resource, "engineVersion", "a version such as 8.4 or 8.4.6", /^\d+\.\d+(\.\d+)?$/);
  const identifier = readIdentifier(resource, "identifier");
  const resourceId = resourceIdOf("db", identifier);
  const master = readMaster(resource, masterKeys, server);
  range(resource, "allocatedStorage", 20, 65_536, "GiB");
  range(resource, "backupRetentionPeriod", 0, 35, "days");
  range(resource, "port", 1150, 65_535, "the port");
  checkVersion(engineVersion, resource, server);
  const parameters = groups.of(resource, "parameterGroupName", "mysql", engineVersion);

  only.claim({ kind: "instance", identifier, resourceId }, resource);
  await makeMaster(server, resource, master, parameters);
  return {
    id: resourceId,
    outputs: {
      identifier,
      resourceId,
      arn: `arn:aws:rds:${context.region}:${context.accountId}:db:${identifier}`,
      address: "localhost",
      endpoint: `localhost:${port}`,
      port,
      status: "available",
      engineVersionActual: showVersion(version),
      availabilityZone: `${context.region}a`,
      caCertIdentifier: "rds-ca-rsa2048-g1",
      masterUserSecrets: [],
      replicas: [],
    },
  };
}
