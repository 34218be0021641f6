import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";

export interface DatabaseArgs {
  /** Subnets in at least two zones. Replaces the subnet group, never the database. */
  subnetIds: pulumi.Input<pulumi.Input<string>[]>;
  securityGroupId: pulumi.Input<string>;
  /** A public address, for the deployer's ranges of the security group. @default false */
  publiclyAccessible?: boolean;
  /** RDS instance class. @default db.t4g.micro */
  instanceClass?: string;
  /** Storage in GiB; it grows by itself up to five times that. @default 20 */
  storageGiB?: number;
  /** Days that automatic backups are kept. @default 7 */
  backupDays?: number;
  /** A standby in another zone. @default false */
  multiAz?: boolean;
  /** Deletion protection, Pulumi's `protect` and a final snapshot. @default true */
  protect?: boolean;
}

/**
 * The MySQL database on RDS (S2): MySQL 8.4, encrypted, backed up, and TLS required by its parameter group. It stands
 * in the subnets that it is given; whether anyone beyond the VPC reaches it is decided by `publiclyAccessible` and by
 * the security group together.
 */
export class Database extends pulumi.ComponentResource {
  readonly instance: aws.rds.Instance;
  /** Host name, without the port. */
  readonly address: pulumi.Output<string>;
  readonly port: pulumi.Output<number>;
  readonly identifier: pulumi.Output<string>;
  readonly administrator: { readonly user: pulumi.Output<string>; readonly password: pulumi.Output<string> };

  constructor(name: string, args: DatabaseArgs, opts?: pulumi.ComponentResourceOptions) {
    super("ecommerce:database:Database", name, {}, opts);
    const protect = args.protect ?? true;
    const storage = args.storageGiB ?? 20;

    const parameters = new aws.rds.ParameterGroup(
      `${name}-parameters`,
      {
        family: "mysql8.4",
        description: "TLS is required",
        parameters: [{ name: "require_secure_transport", value: "1" }],
      },
      { parent: this },
    );
    const subnets = new aws.rds.SubnetGroup(`${name}-subnets`, { subnetIds: args.subnetIds }, { parent: this });
    // RDS refuses /, @, " and blanks in the password; letters and digits alone also suit the mysql provider.
    const password = new random.RandomPassword(`${name}-admin`, { length: 40, special: false }, { parent: this });

    this.instance = new aws.rds.Instance(
      name,
      {
        engine: "mysql",
        engineVersion: "8.4",
        autoMinorVersionUpgrade: true,
        instanceClass: args.instanceClass ?? "db.t4g.micro",
        storageType: "gp3",
        allocatedStorage: storage,
        maxAllocatedStorage: storage * 5,
        storageEncrypted: true,
        multiAz: args.multiAz ?? false,
        port: 3306,
        dbSubnetGroupName: subnets.name,
        vpcSecurityGroupIds: [args.securityGroupId],
        publiclyAccessible: args.publiclyAccessible ?? false,
        parameterGroupName: parameters.name,
        caCertIdentifier: "rds-ca-rsa2048-g1",
        username: "ecommerce_admin",
        password: password.result,
        backupRetentionPeriod: args.backupDays ?? 7,
        copyTagsToSnapshot: true,
        enabledCloudwatchLogsExports: ["error"],
        deletionProtection: protect,
        skipFinalSnapshot: !protect,
        ...(protect ? { finalSnapshotIdentifier: `${name}-${pulumi.getStack()}-final` } : {}),
        applyImmediately: true,
      },
      { parent: this, protect },
    );

    this.address = this.instance.address;
    this.port = this.instance.port;
    this.identifier = this.instance.identifier;
    this.administrator = { user: this.instance.username, password: password.result };
    this.registerOutputs({ address: this.address, port: this.port, identifier: this.identifier });
  }
}
