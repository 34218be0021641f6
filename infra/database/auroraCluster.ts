import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { type DatabaseServer, type DatabaseSettings, deletion, maxConnectErrors } from "./databaseTypes";

/** Aurora MySQL Serverless v2: a writer, and a reader in another zone that takes over. */
export interface AuroraSize {
  readonly kind: "aurora";
  /** Smallest memory in GiB; 2 are one Aurora capacity unit. @default 1 */
  readonly minMemoryGiB?: number;
  /** Largest memory in GiB, at least 2. @default 8 */
  readonly maxMemoryGiB?: number;
}

/**
 * An Aurora MySQL 3 cluster (MySQL 8.0) of Serverless v2 instances: a writer, and a reader in another zone that grows
 * with it and takes over when it fails. MySQL 8.0 and not 8.4, since RDS Proxy is documented for Aurora MySQL 3 only.
 *
 * @see https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/aurora-serverless-v2.create.html
 * @see
 * https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/Concepts.Aurora_Fea_Regions_DB-eng.Feature.RDS_Proxy.html
 */
export function auroraCluster(name: string, size: AuroraSize, settings: DatabaseSettings): DatabaseServer {
  const { parent, protect } = settings;
  const parameters = new aws.rds.ClusterParameterGroup(
    `${name}-parameters`,
    {
      family: "aurora-mysql8.0",
      description: "TLS is required",
      parameters: [{ name: "require_secure_transport", value: "ON" }, maxConnectErrors],
    },
    { parent },
  );
  const cluster = new aws.rds.Cluster(
    name,
    {
      clusterIdentifier: settings.identifier,
      engine: "aurora-mysql",
      // Without the rest of the version, so that minor upgrades, which AWS makes by itself, are no drift.
      engineVersion: "8.0",
      serverlessv2ScalingConfiguration: {
        minCapacity: capacityUnits(size.minMemoryGiB ?? 1),
        maxCapacity: capacityUnits(size.maxMemoryGiB ?? 8),
      },
      storageEncrypted: true,
      port: 3306,
      dbSubnetGroupName: settings.subnetGroupName,
      vpcSecurityGroupIds: [settings.securityGroupId],
      dbClusterParameterGroupName: parameters.name,
      masterUsername: settings.user,
      masterPassword: settings.password,
      backupRetentionPeriod: settings.backupDays,
      copyTagsToSnapshot: true,
      enabledCloudwatchLogsExports: ["error"],
      ...deletion(name, protect),
      applyImmediately: true,
    },
    // A cluster that was created under another name keeps it: a new name would replace the cluster.
    { parent, protect, dependsOn: settings.dependsOn, ignoreChanges: ["clusterIdentifier"] },
  );
  // One after the other: the first instance of a cluster is its writer.
  const writer = serverless(`${name}-writer`, cluster, settings, []);
  const reader = serverless(`${name}-reader`, cluster, settings, [writer]);
  return {
    server: cluster,
    // A cluster without an instance accepts no connections.
    address: pulumi.all([cluster.endpoint, writer.id]).apply(([endpoint]) => endpoint),
    port: cluster.port,
    resourceId: cluster.clusterResourceId,
    identifier: cluster.clusterIdentifier,
    // RDS Proxy refuses a cluster whose instances are not available yet.
    proxyTarget: {
      dbClusterIdentifier: pulumi.all([cluster.clusterIdentifier, writer.id, reader.id]).apply(([known]) => known),
    },
  };
}

/** "Each Aurora capacity unit is approximately 2 gibibytes of memory", with the CPU that goes with it. */
const capacityUnits = (memoryGiB: number) => memoryGiB / 2;

function serverless(
  name: string,
  cluster: aws.rds.Cluster,
  settings: DatabaseSettings,
  after: pulumi.Resource[],
): aws.rds.ClusterInstance {
  return new aws.rds.ClusterInstance(
    name,
    {
      clusterIdentifier: cluster.id,
      engine: "aurora-mysql",
      instanceClass: "db.serverless",
      // Readers of tiers 0 and 1 are kept as large as the writer, ready to take over.
      promotionTier: 1,
      publiclyAccessible: settings.publiclyAccessible,
      dbSubnetGroupName: settings.subnetGroupName,
      caCertIdentifier: "rds-ca-rsa2048-g1",
      autoMinorVersionUpgrade: true,
      applyImmediately: true,
    },
    { parent: settings.parent, protect: settings.protect, dependsOn: [...settings.dependsOn, ...after] },
  );
}
