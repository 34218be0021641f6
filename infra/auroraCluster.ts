import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { type AuroraSize, type Common, deletion, type Made } from "./Database";

/**
 * An Aurora MySQL 3 cluster (MySQL 8.0) of Serverless v2 instances: a writer, and a reader in another zone that grows
 * with it and takes over when it fails. MySQL 8.0 and not 8.4, since RDS Proxy is documented for Aurora MySQL 3 only.
 *
 * @see https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/aurora-serverless-v2.create.html
 * @see https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/Concepts.Aurora_Fea_Regions_DB-eng.Feature.RDS_Proxy.html
 */
export function auroraCluster(name: string, size: AuroraSize, common: Common): Made {
  const { parent, protect } = common;
  const parameters = new aws.rds.ClusterParameterGroup(
    `${name}-parameters`,
    {
      family: "aurora-mysql8.0",
      description: "TLS is required",
      parameters: [{ name: "require_secure_transport", value: "ON" }],
    },
    { parent },
  );
  const cluster = new aws.rds.Cluster(
    name,
    {
      clusterIdentifier: common.identifier,
      engine: "aurora-mysql",
      // Without the rest of the version, so that minor upgrades, which AWS makes by itself, are no drift.
      engineVersion: "8.0",
      serverlessv2ScalingConfiguration: {
        minCapacity: capacityUnits(size.minMemoryGiB ?? 1),
        maxCapacity: capacityUnits(size.maxMemoryGiB ?? 8),
      },
      storageEncrypted: true,
      port: 3306,
      dbSubnetGroupName: common.subnetGroupName,
      vpcSecurityGroupIds: [common.securityGroupId],
      dbClusterParameterGroupName: parameters.name,
      masterUsername: common.user,
      masterPassword: common.password,
      backupRetentionPeriod: common.backupDays,
      copyTagsToSnapshot: true,
      enabledCloudwatchLogsExports: ["error"],
      ...deletion(name, protect),
      applyImmediately: true,
    },
    // One that was made before it had a name of the program's keeps its own, since another one is another cluster.
    { parent, protect, dependsOn: common.dependsOn, ignoreChanges: ["clusterIdentifier"] },
  );
  // One after the other: the first instance of a cluster is its writer.
  const writer = serverless(`${name}-writer`, cluster, common, []);
  const reader = serverless(`${name}-reader`, cluster, common, [writer]);
  return {
    server: cluster,
    // A cluster without an instance answers nobody.
    address: pulumi.all([cluster.endpoint, writer.id]).apply(([endpoint]) => endpoint),
    port: cluster.port,
    identifier: cluster.clusterIdentifier,
    // Nor does RDS Proxy take a cluster whose instances are not available yet.
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
  common: Common,
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
      publiclyAccessible: common.publiclyAccessible,
      dbSubnetGroupName: common.subnetGroupName,
      caCertIdentifier: "rds-ca-rsa2048-g1",
      autoMinorVersionUpgrade: true,
      applyImmediately: true,
    },
    { parent: common.parent, protect: common.protect, dependsOn: [...common.dependsOn, ...after] },
  );
}
