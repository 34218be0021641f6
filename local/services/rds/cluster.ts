/** `aws:rds/cluster:Cluster` and its instances: Aurora MySQL, simulated by the one MySQL server of this machine. */

import { type CreateResult, provisioningError, type ResourceRegistration } from "../../../host/resources";
import { optional, required, string } from "../../lib/inputs";
import type { ParameterGroups, Parameters } from "./parameterGroups";
import {
  checkVersion,
  type Master,
  makeMaster,
  type OnlyDatabase,
  type RdsServer,
  range,
  readIdentifier,
  readMaster,
  resourceIdOf,
} from "./rds";

/** A registered cluster. It accepts no connections before it has an instance. */
interface Cluster {
  readonly identifier: string;
  readonly master: Master;
  readonly parameters: Parameters;
  readonly serverless: boolean;
  /** Logical names of its instances, the writer first. */
  readonly instances: string[];
}

const engineRule = "aurora-mysql, the only engine of a cluster on this machine";
const versionRule = "a version such as 8.0 or 8.0.mysql_aurora.3.08.2";
const versionForm = /^\d+\.\d+(\.mysql_aurora\.\d+\.\d+\.\d+)?$/;
const masterKeys = { username: "masterUsername", password: "masterPassword", database: "databaseName" };

export interface ClusterGroups {
  readonly instances: ParameterGroups;
  readonly clusters: ParameterGroups;
}

/** @returns the handlers of clusters and of their instances */
export function clusterHandlers(groups: ClusterGroups, only: OnlyDatabase, server: RdsServer) {
  const clusters = new Map<string, Cluster>();
  return {
    "aws:rds/cluster:Cluster": (resource: ResourceRegistration): CreateResult => {
      const { result, cluster } = readCluster(resource, groups.clusters, only, server);
      clusters.set(cluster.identifier, cluster);
      return result;
    },
    "aws:rds/clusterInstance:ClusterInstance": (resource: ResourceRegistration): Promise<CreateResult> =>
      makeClusterInstance(resource, clusters, groups.instances, server),
  };
}

/**
 * Checks the inputs against what CreateDBCluster accepts, and claims the server of this machine for the cluster.
 * https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBCluster.html
 */
function readCluster(resource: ResourceRegistration, groups: ParameterGroups, only: OnlyDatabase, server: RdsServer) {
  const { context, port } = server;
  required(resource, "engine", engineRule, /^aurora-mysql$/);
  optional(resource, "engineMode", "provisioned, which Serverless v2 is too", /^provisioned$/);
  const engineVersion = optional(resource, "engineVersion", versionRule, versionForm);
  const identifier = readIdentifier(resource, "clusterIdentifier");
  const resourceId = resourceIdOf("cluster", identifier);
  const master = readMaster(resource, masterKeys, server);
  range(resource, "backupRetentionPeriod", 1, 35, "days");
  range(resource, "port", 1150, 65_535, "the port");
  const serverless = readCapacity(resource);
  checkVersion(engineVersion, resource, server);
  const parameters = groups.of(resource, "dbClusterParameterGroupName", "aurora-mysql", engineVersion);

  only.claim({ kind: "cluster", identifier, resourceId }, resource);
  const zones = ["a", "b", "c"].map((zone) => `${context.region}${zone}`);
  const outputs = {
    clusterIdentifier: identifier,
    clusterResourceId: resourceId,
    arn: `arn:aws:rds:${context.region}:${context.accountId}:cluster:${identifier}`,
    endpoint: "localhost",
    readerEndpoint: "localhost",
    port,
    engineVersionActual: engineVersion ?? "8.0",
    availabilityZones: zones,
    masterUserSecrets: [],
  };
  const cluster: Cluster = { identifier, master, parameters, serverless, instances: [] };
  return { result: { id: identifier, outputs }, cluster };
}

/**
 * Whether the cluster has a capacity for Serverless v2, in Aurora capacity units of about 2 GiB.
 * https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ServerlessV2ScalingConfiguration.html
 */
function readCapacity(resource: ResourceRegistration): boolean {
  const given = resource.inputs.serverlessv2ScalingConfiguration;
  if (given === undefined) return false;
  const { minCapacity: least, maxCapacity: most } = given as { minCapacity?: unknown; maxCapacity?: unknown };
  const isCapacity = (value: unknown, from: number): value is number =>
    typeof value === "number" && value >= from && value <= 256 && Number.isInteger(value * 2);
  if (isCapacity(least, 0) && isCapacity(most, 1) && least <= most) return true;
  const got = JSON.stringify({ minCapacity: least, maxCapacity: most });
  throw provisioningError(
    resource,
    `serverlessv2ScalingConfiguration is ${got}; allowed: minCapacity from 0 and maxCapacity from 1 to 256, in steps of 0.5.`,
  );
}

/**
 * Creates an instance of a cluster. The first one is the writer, and makes the cluster accept connections. A resource
 * that depends on the cluster but not on the writer may connect too early: here the master user does not exist yet, and
 * on AWS nothing accepts the connection.
 */
async function makeClusterInstance(
  resource: ResourceRegistration,
  clusters: ReadonlyMap<string, Cluster>,
  groups: ParameterGroups,
  server: RdsServer,
): Promise<CreateResult> {
  const { context, port } = server;
  required(resource, "engine", engineRule, /^aurora-mysql$/);
  const engineVersion = optional(resource, "engineVersion", versionRule, versionForm);
  const identifier = readIdentifier(resource, "identifier");
  const cluster = clusters.get(required(resource, "clusterIdentifier", "a cluster's identifier", /./));
  if (!cluster) {
    const known = [...clusters.keys()].join(", ") || "none";
    throw provisioningError(
      resource,
      `clusterIdentifier is ${string(resource, "clusterIdentifier")}; clusters: ${known}.`,
    );
  }
  const instanceClass = required(resource, "instanceClass", "a class such as db.serverless", /^db\.[a-z0-9.-]+$/);
  if (instanceClass === "db.serverless" && !cluster.serverless) {
    throw provisioningError(
      resource,
      `instanceClass is db.serverless, and its cluster ${cluster.identifier} has no serverlessv2ScalingConfiguration.`,
    );
  }
  const instanceParameters = groups.of(resource, "dbParameterGroupName", "aurora-mysql", engineVersion);
  if (!cluster.instances.includes(resource.name)) cluster.instances.push(resource.name);
  const writer = cluster.instances[0] === resource.name;
  if (writer)
    await makeMaster(server, resource, cluster.master, new Map([...cluster.parameters, ...instanceParameters]));
  const dbiResourceId = resourceIdOf("db", identifier);
  return {
    id: identifier,
    outputs: {
      identifier,
      dbiResourceId,
      arn: `arn:aws:rds:${context.region}:${context.accountId}:db:${identifier}`,
      endpoint: "localhost",
      port,
      writer,
      engineVersionActual: engineVersion ?? "8.0",
      availabilityZone: `${context.region}${writer ? "a" : "b"}`,
      caCertIdentifier: "rds-ca-rsa2048-g1",
    },
  };
}
