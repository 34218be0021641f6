import type * as pulumi from "@pulumi/pulumi";
import type { Settings, Surroundings } from "../config";
import type { WatchedDatabase } from "../monitoring/metrics";
import { documentedName } from "../names";
import { Network } from "../network/Network";
import { DatabaseSchema } from "../schema/DatabaseSchema";
import type { AuroraSize } from "./auroraCluster";
import { auroraConnectionLimit } from "./connectionLimit";
import { Database } from "./Database";
import { DatabaseProxy } from "./DatabaseProxy";
import { DatabaseSecret, type DatabaseSecretValue } from "./DatabaseSecret";
import type { InstanceSize } from "./databaseInstance";
import { rdsAuthorities } from "./rdsCaCerts";
import { SecretRotation } from "./SecretRotation";

/** Paths of the bundles of the functions that keep the database in order (`bundleFunctions`). */
type Bundles = Readonly<Record<"applySchema" | "rotateSecret", string>>;

/**
 * Where the rows are, and the way to them: the network, the database with its schema, the secret that tells how the
 * registration function connects, and, where the configuration wants them, a proxy in between and the secret's
 * rotation.
 *
 * @param bundling awaited after the first components, which need no function
 */
export async function databaseParts(surroundings: Surroundings, bundling: Promise<Bundles>) {
  const { stack, region, settings } = surroundings;
  const network = new Network("network", {
    region,
    cidr: settings["network.cidr"],
    deployerCidrs: settings["database.deployerCidrs"],
    proxy: settings["database.proxy"],
    protect: settings["data.protect"],
  });
  const database = new Database("database", {
    size: sizeOf(settings),
    subnetIds: network.databaseSubnetIds,
    securityGroupId: network.databaseSecurityGroupId,
    publiclyAccessible: isPublic(settings),
    wayIn: network.wayIn,
    backupDays: settings["database.backupDays"],
    logRetentionDays: settings["logs.retentionDays"],
    protect: settings["data.protect"],
  });
  const bundles = await bundling;
  const schema = schemaOf(surroundings, network, database, bundles.applySchema);
  const ownSecret = new DatabaseSecret("secret", {
    secretName: documentedName("ecommerce_secret", stack),
    recoveryDays: settings["secret.recoveryDays"],
    rotated: isRotated(settings),
    protect: settings["data.protect"],
  });
  const proxy = network.proxySecurityGroupId
    ? new DatabaseProxy("database-proxy", {
        subnetIds: network.privateSubnetIds,
        securityGroupId: network.proxySecurityGroupId,
        secretArn: ownSecret.arn,
        target: database.proxyTarget,
        logRetentionDays: settings["logs.retentionDays"],
      })
    : undefined;
  const { address: host, port } = proxy ?? database;
  const endpoint = { host, port, dbClusterIdentifier: database.identifier };
  const secret = ownSecret.write(
    { username: schema.userName, password: schema.userPassword, ...endpoint },
    database.resourceId,
  );
  const rotation = isRotated(settings)
    ? rotationOf(settings, { network, database, schema, secret, endpoint, bundle: bundles.rotateSecret })
    : undefined;
  return { network, database, schema, secret, proxy, rotation };
}

/** What {@link databaseParts} answers. */
export type DatabaseParts = Awaited<ReturnType<typeof databaseParts>>;

function schemaOf(
  { region, settings, extraAuthorities, verifiedByBundle }: Surroundings,
  network: Network,
  database: Database,
  bundle: string,
): DatabaseSchema {
  return new DatabaseSchema("schema", {
    server: database.server,
    serverId: database.resourceId,
    address: database.address,
    port: database.port,
    adminUsername: database.administrator.user,
    adminPassword: database.administrator.password,
    // The function inside adds what its own environment names: what this machine trusts is no matter of the VPC.
    authorities: rdsAuthorities(region, isPublic(settings) ? extraAuthorities : []),
    verifiedByBundle,
    rotated: isRotated(settings),
    // From outside, nobody reaches a private database.
    ...(isPublic(settings)
      ? {}
      : {
          inside: {
            bundle,
            subnetIds: network.privateSubnetIds,
            securityGroupId: network.functionSecurityGroupId,
            logRetentionDays: settings["logs.retentionDays"],
            dependsOn: network.wayToDatabase,
          },
        }),
  });
}

interface Rotated {
  readonly network: Network;
  readonly database: Database;
  readonly schema: DatabaseSchema;
  readonly secret: ReturnType<DatabaseSecret["write"]>;
  readonly endpoint: Pick<DatabaseSecretValue, "host" | "port" | "dbClusterIdentifier">;
  readonly bundle: string;
}

function rotationOf(settings: Settings, { network, database, schema, secret, endpoint, bundle }: Rotated) {
  return new SecretRotation("rotate-secret", {
    bundle,
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
      ...network.wayToDatabase,
      ...(schema.passwordGrant ? [schema.passwordGrant] : []),
    ],
  });
}

const isPublic = (settings: Settings) => settings["database.access"] === "public";
const isRotated = (settings: Settings) => settings["secret.rotationDays"] > 0;
const isAurora = (settings: Settings) => settings["database.kind"] === "aurora";

function sizeOf(settings: Settings): InstanceSize | AuroraSize {
  if (isAurora(settings)) {
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

/** The database as `Monitoring` is told of it. */
export function watchedDatabase(
  settings: Settings,
  identifier: pulumi.Output<string>,
): WatchedDatabase<pulumi.Input<string>> {
  return isAurora(settings)
    ? { kind: "aurora", identifier, connectionLimit: auroraConnectionLimit(settings["database.maxMemoryGiB"]) }
    : { identifier, instanceClass: settings["database.instanceClass"], storageGiB: settings["database.storageGiB"] };
}
