import type { ProgramContext, Settings } from "../config";
import { documentedName } from "../names";
import type { Network } from "../network/Network";
import type { DatabaseSchema } from "../schema/DatabaseSchema";
import type { AuroraSize } from "./auroraCluster";
import { Database } from "./Database";
import { DatabaseProxy } from "./DatabaseProxy";
import { DatabaseSecret, type DatabaseSecretValue } from "./DatabaseSecret";
import type { InstanceSize } from "./databaseInstance";
import { SecretRotation } from "./SecretRotation";

/** The MySQL database, an instance or an Aurora cluster. */
export function createDatabase({ settings }: ProgramContext, network: Network): Database {
  return new Database("database", {
    size: sizeOf(settings),
    subnetIds: network.databaseSubnetIds,
    securityGroupId: network.databaseSecurityGroupId,
    publiclyAccessible: settings["database.access"] === "public",
    ingressDependencies: network.ingressDependencies,
    backupDays: settings["database.backupDays"],
    logRetentionDays: settings["logs.retentionDays"],
    protect: settings["data.protect"],
  });
}

/** What {@link createDatabaseAccess} needs. */
export interface DatabaseAccessArgs {
  readonly network: Network;
  readonly database: Database;
  readonly schema: DatabaseSchema;
  /** Path of the bundle of `functions/rotateSecret` (`bundleFunctions`). */
  readonly rotateSecret: string;
}

/**
 * How the registration function connects: the secret and, if configured, a proxy in front of the database and the
 * secret's rotation. The secret is made first and gets its value last: the proxy needs the secret's ARN, and the value
 * contains the proxy's address.
 */
export function createDatabaseAccess({ stack, settings }: ProgramContext, args: DatabaseAccessArgs) {
  const { network, database, schema } = args;
  const rotated = settings["secret.rotationDays"] > 0;
  const databaseSecret = new DatabaseSecret("secret", {
    secretName: documentedName("ecommerce_secret", stack),
    recoveryDays: settings["secret.recoveryDays"],
    rotated,
    protect: settings["data.protect"],
  });
  const proxy = network.proxySecurityGroupId
    ? new DatabaseProxy("database-proxy", {
        subnetIds: network.privateSubnetIds,
        securityGroupId: network.proxySecurityGroupId,
        secretArn: databaseSecret.arn,
        target: database.proxyTarget,
        logRetentionDays: settings["logs.retentionDays"],
      })
    : undefined;
  const { address: host, port } = proxy ?? database;
  const endpoint = { host, port, dbClusterIdentifier: database.identifier };
  const secret = databaseSecret.write(
    { username: schema.userName, password: schema.userPassword, ...endpoint },
    database.resourceId,
  );
  const rotation = rotated ? createRotation(settings, { ...args, secret, endpoint }) : undefined;
  return { secret, proxy, rotation };
}

/** What {@link createDatabaseAccess} returns. */
export type DatabaseAccess = ReturnType<typeof createDatabaseAccess>;

interface RotationArgs extends DatabaseAccessArgs {
  readonly secret: ReturnType<DatabaseSecret["write"]>;
  readonly endpoint: Pick<DatabaseSecretValue, "host" | "port" | "dbClusterIdentifier">;
}

function createRotation(settings: Settings, args: RotationArgs): SecretRotation {
  const { network, database, schema, secret, endpoint, rotateSecret } = args;
  return new SecretRotation("rotate-secret", {
    bundle: rotateSecret,
    secretArn: secret.arn,
    firstVersion: secret.versionId,
    everyDays: settings["secret.rotationDays"],
    database: { host: database.address, port: database.port },
    endpoint,
    subnetIds: network.privateSubnetIds,
    securityGroupId: network.functionSecurityGroupId,
    logRetentionDays: settings["logs.retentionDays"],
    dependsOn: [
      network.secretEndpoint,
      ...network.databasePathDependencies,
      ...(schema.passwordGrant ? [schema.passwordGrant] : []),
    ],
  });
}

function sizeOf(settings: Settings): InstanceSize | AuroraSize {
  if (settings["database.kind"] === "aurora") {
    const [minMemoryGiB, maxMemoryGiB] = [settings["database.minMemoryGiB"], settings["database.maxMemoryGiB"]];
    return { kind: "aurora", minMemoryGiB, maxMemoryGiB };
  }
  return {
    kind: "instance",
    instanceClass: settings["database.instanceClass"],
    storageGiB: settings["database.storageGiB"],
    multiAz: settings["database.multiAz"],
  };
}
