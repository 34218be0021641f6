import * as aws from "@pulumi/aws";
import { type DatabaseServer, type DatabaseSettings, deletion, maxConnectErrors } from "./databaseTypes";

/** One RDS for MySQL instance. */
export interface InstanceSize {
  readonly kind: "instance";
  /** RDS instance class. @default db.t4g.micro */
  readonly instanceClass?: string;
  /** Storage in GiB; RDS increases it automatically up to five times this value. @default 20 */
  readonly storageGiB?: number;
  /** A standby in another zone. @default false */
  readonly multiAz?: boolean;
}

/** One RDS for MySQL 8.4 instance. */
export function databaseInstance(name: string, size: InstanceSize, settings: DatabaseSettings): DatabaseServer {
  const { parent, protect } = settings;
  const storage = size.storageGiB ?? 20;
  const parameters = new aws.rds.ParameterGroup(
    `${name}-parameters`,
    {
      family: "mysql8.4",
      description: "TLS is required",
      parameters: [{ name: "require_secure_transport", value: "1" }, maxConnectErrors],
    },
    { parent },
  );
  const instance = new aws.rds.Instance(
    name,
    {
      identifier: settings.identifier,
      engine: "mysql",
      engineVersion: "8.4",
      autoMinorVersionUpgrade: true,
      instanceClass: size.instanceClass ?? "db.t4g.micro",
      storageType: "gp3",
      allocatedStorage: storage,
      maxAllocatedStorage: storage * 5,
      ...baseline(storage),
      storageEncrypted: true,
      multiAz: size.multiAz ?? false,
      port: 3306,
      dbSubnetGroupName: settings.subnetGroupName,
      vpcSecurityGroupIds: [settings.securityGroupId],
      publiclyAccessible: settings.publiclyAccessible,
      parameterGroupName: parameters.name,
      caCertIdentifier: "rds-ca-rsa2048-g1",
      username: settings.user,
      password: settings.password,
      backupRetentionPeriod: settings.backupDays,
      copyTagsToSnapshot: true,
      enabledCloudwatchLogsExports: ["error"],
      ...deletion(name, protect),
      applyImmediately: true,
    },
    // An instance that was created under another name keeps it: a new name would change its address.
    { parent, protect, dependsOn: settings.dependsOn, ignoreChanges: ["identifier"] },
  );
  return {
    server: instance,
    address: instance.address,
    port: instance.port,
    resourceId: instance.resourceId,
    identifier: instance.identifier,
    proxyTarget: { dbInstanceIdentifier: instance.identifier },
  };
}

/**
 * From 400 GiB on, gp3 has 12,000 IOPS and 500 MiB/s at no extra cost. If both are left out, the provider sends the
 * 3,000 IOPS of its state when the storage grows beyond that size, which RDS refuses.
 * @see https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/CHAP_Storage.html
 */
const baseline = (storageGiB: number) => (storageGiB >= 400 ? { iops: 12_000, storageThroughput: 500 } : {});
