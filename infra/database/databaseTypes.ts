/** What both kinds of databases have in common: `databaseInstance.ts` and `auroraCluster.ts`. */
import * as pulumi from "@pulumi/pulumi";

/**
 * Parameter of every kind of database: how many broken handshakes in a row MySQL accepts from one client address before
 * it refuses that address until its host cache is emptied. MySQL's default is 100. If MySQL stalls for a few seconds
 * while many containers connect, more handshakes break; and all containers in a subnet may have one address.
 *
 * The value is the largest that MySQL's manual has for every platform. RDS publishes its own maximum only in the answer
 * of DescribeEngineDefaultParameters; larger values than this one are in use there. Aurora lists the parameter at the
 * level of instances, which take it from the cluster's group unless their own group sets it.
 * @see https://dev.mysql.com/doc/refman/8.4/en/server-system-variables.html#sysvar_max_connect_errors
 * @see https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/AuroraMySQL.Reference.ParameterGroups.html
 * @see https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/USER_WorkingWithDBClusterParamGroups.html
 */
export const maxConnectErrors = { name: "max_connect_errors", value: "4294967295" };

/** The arguments of every kind of database. */
export interface DatabaseSettings {
  readonly parent: pulumi.Resource;
  readonly subnetGroupName: pulumi.Input<string>;
  readonly securityGroupId: pulumi.Input<string>;
  /** Name of a new database; an existing database keeps its name. */
  readonly identifier: string;
  readonly publiclyAccessible: boolean;
  /** What must exist before the database is made, and as long as it exists. */
  readonly dependsOn: pulumi.Resource[];
  readonly user: string;
  readonly password: pulumi.Input<string>;
  readonly backupDays: number;
  readonly protect: boolean;
}

/** A database of either kind, as other components use it. */
export interface DatabaseServer {
  /** The resource that holds the data: its deletion deletes everything in the database. */
  readonly server: pulumi.Resource;
  /** Host name of the instance that accepts writes, without the port; resolved once it can be reached. */
  readonly address: pulumi.Output<string>;
  readonly port: pulumi.Output<number>;
  /**
   * AWS's own identifier of the server, `resourceId` or `clusterResourceId`. A server that was lost and made again has
   * the same name, address, port and password, but another `resourceId`. A change means: the schema must be made again.
   */
  readonly resourceId: pulumi.Output<string>;
  /** Identifier of the instance, or of the cluster. */
  readonly identifier: pulumi.Output<string>;
  readonly proxyTarget: ProxyTarget;
}

/** The instance or cluster that RDS Proxy connects to. */
export type ProxyTarget =
  | { readonly dbInstanceIdentifier: pulumi.Input<string> }
  | { readonly dbClusterIdentifier: pulumi.Input<string> };

/**
 * Whether and how a database may be deleted. The name of a final snapshot is unique in an account and region, and has
 * letters, digits and single hyphens only (DeleteDBInstance), while Pulumi's names of stacks may also have `_` and `.`.
 */
export const deletion = (name: string, protect: boolean) => ({
  deletionProtection: protect,
  skipFinalSnapshot: !protect,
  ...(protect ? { finalSnapshotIdentifier: `${name}-${pulumi.getStack()}-final`.replace(/[^A-Za-z0-9]+/g, "-") } : {}),
});
