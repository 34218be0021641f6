import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import { databaseIdentifier } from "../names";
import { type AuroraSize, auroraCluster } from "./auroraCluster";
import { databaseInstance, type InstanceSize } from "./databaseInstance";
import type { DatabaseServer, DatabaseSettings, ProxyTarget } from "./databaseTypes";

export interface DatabaseArgs {
  /**
   * Kind and size of the database. Another kind makes a new, empty database; a snapshot moves the data.
   * @default an instance
   */
  size?: InstanceSize | AuroraSize;
  /** Subnets in at least two zones. A change does not move an existing database. */
  subnetIds: pulumi.Input<pulumi.Input<string>[]>;
  securityGroupId: pulumi.Input<string>;
  /** A public address, for the deployer's ranges of the security group. @default false */
  publiclyAccessible?: boolean;
  /** What must exist before the database has a public address, such as an internet gateway. @default nothing */
  ingressDependencies?: pulumi.Resource[];
  /** Days that automatic backups are kept. @default 7 */
  backupDays?: number;
  /** Days that the error log is kept. @default 30 */
  logRetentionDays?: number;
  /** Deletion protection, Pulumi's `protect` and a final snapshot. @default true */
  protect?: boolean;
}

/**
 * The MySQL database on RDS (S2), of either kind: encrypted, backed up, and TLS required by its parameter group. It is
 * placed in the given subnets. `publiclyAccessible` and the security group together decide whether it can be reached
 * from outside the VPC; a change of either does not move it.
 */
export class Database extends pulumi.ComponentResource implements DatabaseServer {
  readonly server: pulumi.Resource;
  readonly address: pulumi.Output<string>;
  readonly port: pulumi.Output<number>;
  readonly resourceId: pulumi.Output<string>;
  readonly identifier: pulumi.Output<string>;
  readonly proxyTarget: ProxyTarget;
  readonly administrator: { readonly user: pulumi.Output<string>; readonly password: pulumi.Output<string> };

  constructor(name: string, args: DatabaseArgs, opts?: pulumi.ComponentResourceOptions) {
    super("ecommerce:database:Database", name, {}, opts);
    const size = args.size ?? { kind: "instance" };
    const subnets = new aws.rds.SubnetGroup(`${name}-subnets`, { subnetIds: args.subnetIds }, { parent: this });
    // RDS refuses /, @, " and blanks in the password; letters and digits alone also suit the mysql provider.
    const password = new random.RandomPassword(`${name}-admin`, { length: 40, special: false }, { parent: this });
    const user = "ecommerce_admin";
    const identifier = databaseIdentifier(name, pulumi.getProject(), pulumi.getStack());
    const log = errorLog(name, `${size.kind === "aurora" ? "cluster" : "instance"}/${identifier}`, args, this);
    const settings: DatabaseSettings = {
      parent: this,
      subnetGroupName: subnets.name,
      securityGroupId: args.securityGroupId,
      identifier,
      publiclyAccessible: args.publiclyAccessible ?? false,
      dependsOn: [log, ...(args.ingressDependencies ?? [])],
      user,
      password: password.result,
      backupDays: args.backupDays ?? 7,
      protect: args.protect ?? true,
    };
    const created =
      size.kind === "aurora" ? auroraCluster(name, size, settings) : databaseInstance(name, size, settings);

    this.server = created.server;
    this.address = created.address;
    this.port = created.port;
    this.resourceId = created.resourceId;
    this.identifier = created.identifier;
    this.proxyTarget = created.proxyTarget;
    this.administrator = { user: pulumi.output(user), password: password.result };
    this.registerOutputs({ address: this.address, port: this.port, identifier: this.identifier });
  }
}

/**
 * The log group of the database's error log. The program makes it first: a group that RDS makes keeps every line for
 * ever and stays after the database is deleted.
 * https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_LogAccess.Procedural.UploadtoCloudWatch.html
 */
const errorLog = (name: string, database: string, args: DatabaseArgs, parent: pulumi.Resource) =>
  new aws.cloudwatch.LogGroup(
    `${name}-error-log`,
    { name: `/aws/rds/${database}/error`, retentionInDays: args.logRetentionDays ?? 30 },
    { parent },
  );
