import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { trustPolicy } from "../lambda/trustPolicy";
import { databaseIdentifier } from "../names";
import { proxyPercent } from "./connectionLimit";
import type { ProxyTarget } from "./databaseTypes";

export interface DatabaseProxyArgs {
  /** Subnets in at least two zones, without a route to the internet. Replaces the proxy. */
  subnetIds: pulumi.Input<pulumi.Input<string>[]>;
  securityGroupId: pulumi.Input<string>;
  /**
   * ARN of the secret with the database user: the only user that the proxy accepts, and the only secret it may read.
   */
  secretArn: pulumi.Input<string>;
  /** The instance, or the cluster. Replaces the target; meanwhile the proxy refuses connections. */
  target: ProxyTarget;
  /** Days that the proxy's log is kept. @default 30 */
  logRetentionDays?: number;
}

/** "All proxies listen on port 3306 for MySQL" (RDS user guide, "Additional limitations for RDS for MySQL"). */
const mysqlPort = 3306;

/**
 * RDS Proxy in front of the database, for the user of one secret: it keeps the connections open during a fail-over,
 * lets new ones wait where the database would refuse them, and never opens more than its share of connections.
 *
 * It accepts TLS only, with a certificate of Amazon's public authorities, not of RDS's. It is reached from inside the
 * VPC only, even if the database itself is public. During a rotation the user has two passwords, and the proxy accepts
 * the current one only; so rotation and schema connect to the database itself.
 *
 * @see https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-proxy.html
 */
export class DatabaseProxy extends pulumi.ComponentResource {
  /** Host name, without the port; resolved once the database is registered as the proxy's target. */
  readonly address: pulumi.Output<string>;
  readonly port: pulumi.Output<number>;
  /** The proxy's name in CloudWatch's metrics. */
  readonly proxyName: pulumi.Output<string>;

  constructor(name: string, args: DatabaseProxyArgs, opts?: pulumi.ComponentResourceOptions) {
    super("ecommerce:database:DatabaseProxy", name, {}, opts);
    const { role, policy } = secretReader(name, args.secretArn, this);
    const identifier = databaseIdentifier(name, pulumi.getProject(), pulumi.getStack());
    // Made before the proxy: a group that RDS makes keeps every line for ever and stays after the proxy is deleted.
    // https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-proxy.monitoring.html
    const log = new aws.cloudwatch.LogGroup(
      `${name}-log`,
      { name: `/aws/rds/proxy/${identifier}`, retentionInDays: args.logRetentionDays ?? 30 },
      { parent: this },
    );
    const proxy = new aws.rds.Proxy(
      name,
      {
        name: identifier,
        engineFamily: "MYSQL",
        requireTls: true,
        roleArn: role.arn,
        vpcSubnetIds: args.subnetIds,
        vpcSecurityGroupIds: [args.securityGroupId],
        auths: [
          {
            authScheme: "SECRETS",
            secretArn: args.secretArn,
            iamAuth: "DISABLED",
            // MySQL 8.4's default. RDS's older default, the native password, is one that MySQL has given up.
            clientPasswordAuthType: "MYSQL_CACHING_SHA2_PASSWORD",
          },
        ],
      },
      // A proxy that was created under another name keeps it: a new name would replace the proxy and change its
      // address.
      { parent: this, dependsOn: [policy, log], ignoreChanges: ["name"] },
    );
    const group = new aws.rds.ProxyDefaultTargetGroup(
      `${name}-connections`,
      {
        dbProxyName: proxy.name,
        // Seconds. The function has five in all; an early refusal leaves it time to try again.
        connectionPoolConfig: { maxConnectionsPercent: proxyPercent, connectionBorrowTimeout: 2 },
      },
      { parent: this },
    );
    const target = new aws.rds.ProxyTarget(
      `${name}-target`,
      { dbProxyName: proxy.name, targetGroupName: group.name, ...args.target },
      // A target group has exactly one instance or cluster: the old one must be removed first.
      { parent: this, deleteBeforeReplace: true },
    );

    this.address = pulumi.all([proxy.endpoint, target.id]).apply(([endpoint]) => endpoint);
    // The target's port is the database's, and 0 in AWS's guide if the database is a cluster. With `npm start` it is
    // the port of the relay, which has the same host name as the server.
    this.port = target.port.apply((port) => (port === 0 ? mysqlPort : port));
    this.proxyName = proxy.name;
    this.registerOutputs({ address: this.address, port: this.port });
  }
}

/** The proxy's role: it may read the one secret, which is encrypted by Secrets Manager's own key. */
function secretReader(name: string, secretArn: pulumi.Input<string>, parent: pulumi.Resource) {
  const role = new aws.iam.Role(`${name}-role`, { assumeRolePolicy: trustPolicy("rds.amazonaws.com") }, { parent });
  const policy = new aws.iam.RolePolicy(
    `${name}-policy`,
    {
      role: role.id,
      policy: {
        Version: "2012-10-17",
        Statement: [
          { Sid: "ReadSecret", Effect: "Allow", Action: "secretsmanager:GetSecretValue", Resource: secretArn },
        ],
      },
    },
    { parent },
  );
  return { role, policy };
}
