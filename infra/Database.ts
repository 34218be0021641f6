import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import { auroraCluster } from "./auroraCluster";
import { databaseInstance } from "./databaseInstance";
import { databaseIdentifier } from "./names";

/** One RDS for MySQL instance. */
export interface InstanceSize {
  readonly kind: "instance";
  /** RDS instance class. @default db.t4g.micro */
  readonly instanceClass?: string;
  /** Storage in GiB; it grows by itself up to five times that. @default 20 */
  readonly storageGiB?: number;
  /** A standby in another zone. @default false */
  readonly multiAz?: boolean;
}

/** Aurora MySQL Serverless v2: a writer, and a reader in another zone that takes over. */
export interface AuroraSize {
  readonly kind: "aurora";
  /** Memory in GiB that it shrinks to; 2 are one Aurora capacity unit. @default 1 */
  readonly minMemoryGiB?: number;
  /** Memory in GiB that it grows to, from 2. @default 8 */
  readonly maxMemoryGiB?: number;
}

export interface DatabaseArgs {
  /** What the database is. Another kind is another, empty database; the data moves by a snapshot. @default an instance */
  size?: InstanceSize | AuroraSize;
  /** Subnets in at least two zones. A change leaves the database where it is. */
  subnetIds: pulumi.Input<pulumi.Input<string>[]>;
  securityGroupId: pulumi.Input<string>;
  /** A public address, for the deployer's ranges of the security group. @default false */
  publiclyAccessible?: boolean;
  /** What must stand before the database has a public address, such as an internet gateway. @default nothing */
  wayIn?: pulumi.Resource[];
  /** Days that automatic backups are kept. @default 7 */
  backupDays?: number;
  /** Days that the error log is kept. @default 30 */
  logRetentionDays?: number;
  /** Deletion protection, Pulumi's `protect` and a final snapshot. @default true */
  protect?: boolean;
}

/** What every kind of database is told. */
export interface Common {
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
export interface Made {
  /** The resource that holds the data: when it is deleted, all that is in the database went with it. */
  readonly server: pulumi.Resource;
  /** Host name of whoever takes writes, without the port; known once it can be reached. */
  readonly address: pulumi.Output<string>;
  readonly port: pulumi.Output<number>;
  /** Identifier of the instance, or of the cluster. */
  readonly identifier: pulumi.Output<string>;
  /** What RDS Proxy is to connect to. */
  readonly proxyTarget: ProxyTarget;
}

/** An instance or a cluster, as RDS Proxy is told of it. */
export type ProxyTarget =
  | { readonly dbInstanceIdentifier: pulumi.Input<string> }
  | { readonly dbClusterIdentifier: pulumi.Input<string> };

/**
 * The MySQL database on RDS (S2), of either kind: encrypted, backed up, and TLS required by its parameter group. It
 * stands in the subnets that it is given; whether anyone beyond the VPC reaches it is decided by `publiclyAccessible`
 * and by the security group together, and neither moves it.
 */
export class Database extends pulumi.ComponentResource implements Made {
  readonly server: pulumi.Resource;
  readonly address: pulumi.Output<string>;
  readonly port: pulumi.Output<number>;
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
    const common: Common = {
      parent: this,
      subnetGroupName: subnets.name,
      securityGroupId: args.securityGroupId,
      identifier,
      publiclyAccessible: args.publiclyAccessible ?? false,
      dependsOn: [log, ...(args.wayIn ?? [])],
      user,
      password: password.result,
      backupDays: args.backupDays ?? 7,
      protect: args.protect ?? true,
    };
    const made = size.kind === "aurora" ? auroraCluster(name, size, common) : databaseInstance(name, size, common);

    this.server = made.server;
    this.address = made.address;
    this.port = made.port;
    this.identifier = made.identifier;
    this.proxyTarget = made.proxyTarget;
    this.administrator = { user: pulumi.output(user), password: password.result };
    this.registerOutputs({ address: this.address, port: this.port, identifier: this.identifier });
  }
}

/**
 * The log group of the database's error log, made before RDS would make it, which would keep every line for ever and
 * leave the group behind.
 * https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_LogAccess.Procedural.UploadtoCloudWatch.html
 */
const errorLog = (name: string, database: string, args: DatabaseArgs, parent: pulumi.Resource) =>
  new aws.cloudwatch.LogGroup(
    `${name}-error-log`,
    { name: `/aws/rds/${database}/error`, retentionInDays: args.logRetentionDays ?? 30 },
    { parent },
  );

/** Whether and how a database may be deleted. The name of a final snapshot is one in an account and region. */
export const deletion = (name: string, protect: boolean) => ({
  deletionProtection: protect,
  skipFinalSnapshot: !protect,
  ...(protect ? { finalSnapshotIdentifier: `${name}-${pulumi.getStack()}-final` } : {}),
});
