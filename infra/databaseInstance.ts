import * as aws from "@pulumi/aws";
import { type Common, deletion, type InstanceSize, type Made } from "./Database";

/** One RDS for MySQL 8.4 instance. */
export function databaseInstance(name: string, size: InstanceSize, common: Common): Made {
  const { parent, protect } = common;
  const storage = size.storageGiB ?? 20;
  const parameters = new aws.rds.ParameterGroup(
    `${name}-parameters`,
    {
      family: "mysql8.4",
      description: "TLS is required",
      parameters: [{ name: "require_secure_transport", value: "1" }],
    },
    { parent },
  );
  const instance = new aws.rds.Instance(
    name,
    {
      identifier: common.identifier,
      engine: "mysql",
      engineVersion: "8.4",
      autoMinorVersionUpgrade: true,
      instanceClass: size.instanceClass ?? "db.t4g.micro",
      storageType: "gp3",
      allocatedStorage: storage,
      maxAllocatedStorage: storage * 5,
      storageEncrypted: true,
      multiAz: size.multiAz ?? false,
      port: 3306,
      dbSubnetGroupName: common.subnetGroupName,
      vpcSecurityGroupIds: [common.securityGroupId],
      publiclyAccessible: common.publiclyAccessible,
      parameterGroupName: parameters.name,
      caCertIdentifier: "rds-ca-rsa2048-g1",
      username: common.user,
      password: common.password,
      backupRetentionPeriod: common.backupDays,
      copyTagsToSnapshot: true,
      enabledCloudwatchLogsExports: ["error"],
      ...deletion(name, protect),
      applyImmediately: true,
    },
    // One that was made before it had a name of the program's keeps its own, since another one is another address.
    { parent, protect, dependsOn: common.dependsOn, ignoreChanges: ["identifier"] },
  );
  return {
    server: instance,
    address: instance.address,
    port: instance.port,
    identifier: instance.identifier,
    proxyTarget: { dbInstanceIdentifier: instance.identifier },
  };
}
