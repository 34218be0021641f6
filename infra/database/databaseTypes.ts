/** What both kinds of databases have in common: `databaseInstance.ts` and `auroraCluster.ts` each make one. */
import * as pulumi from "@pulumi/pulumi";

/**
 * Parameter of every kind of database: how many broken handshakes in a row MySQL takes from one client address before it
 * refuses that address until somebody empties its host cache. MySQL's default is 100. A stall of a few seconds under many
 * containers breaks more, and all containers in a subnet may have one address.
 *
 * The value is the largest that MySQL's manual has for every platform. RDS publishes its own maximum only in the answer of
 * DescribeEngineDefaultParameters; larger values than this one are in use there. Aurora lists the parameter at the level
 * of instances, which take it from the cluster's group unless their own group sets it.
 * @see https://dev.mysql.com/doc/refman/8.4/en/server-system-variables.html#sysvar_max_connect_errors
 * @see https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/AuroraMySQL.Reference.ParameterGroups.html
 * @see https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/USER_WorkingWithDBClusterParamGroups.html
 */
export const maxConnectErrors = { name: "max_connect_errors", value: "4294967295" };

/** What every kind of database is told. */
export interface DatabaseSettings {
  readonly parent: pulumi.Resource;
  readonly subnetGroupName: pulumi.Input<string>;
  readonly securityGroupId: pulumi.Input<string>;
  /** What a new database is called; one that was made under another name keeps it. */
  readonly identifier: string;
  readonly publiclyAccessible: boolean;
  /** What must stand before it is made, and as long as it is there. */
  readonly dependsOn: pulumi.Resource[];
  readonly user: string;
  readonly password: pulumi.Input<string>;
  readonly backupDays: number;
  readonly protect: boolean;
}

/** What every kind of database answers. */
export interface DatabaseServer {
  /** The resource that holds the data: when it is deleted, all that is in the database went with it. */
  readonly server: pulumi.Resource;
  /** Host name of whoever takes writes, without the port; known once it can be reached. */
  readonly address: pulumi.Output<string>;
  readonly port: pulumi.Output<number>;
  /**
   * AWS's own identifier of this very server, `resourceId` or `clusterResourceId`. A server that is lost and made again
   * keeps its name, address, port and password, and has another one: it decides whether a server holds what was made.
   */
  readonly resourceId: pulumi.Output<string>;
  /** Identifier of the instance, or of the cluster. */
  readonly identifier: pulumi.Output<string>;
  /** What RDS Proxy is to connect to. */
  readonly proxyTarget: ProxyTarget;
}

/** An instance or a cluster, as RDS Proxy is told of it. */
export type ProxyTarget =
  | { readonly dbInstanceIdentifier: pulumi.Input<string> }
  | { readonly dbClusterIdentifier: pulumi.Input<string> };

/** Whether and how a database may be deleted. The name of a final snapshot is one in an account and region. */
export const deletion = (name: string, protect: boolean) => ({
  deletionProtection: protect,
  skipFinalSnapshot: !protect,
  ...(protect ? { finalSnapshotIdentifier: `${name}-${pulumi.getStack()}-final` } : {}),
});
