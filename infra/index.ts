import { bundleFunctions } from "./bundle";
import { readSurroundings, type Settings } from "./config";
import { auroraConnectionLimit } from "./connectionLimit";
import { type AuroraSize, Database, type InstanceSize } from "./Database";
import { DatabaseProxy } from "./DatabaseProxy";
import { DatabaseSchema } from "./DatabaseSchema";
import { DatabaseSecret } from "./DatabaseSecret";
import { ImageApi } from "./ImageApi";
import { ImageApiRole } from "./ImageApiRole";
import { ImageBucket } from "./ImageBucket";
import { Monitoring } from "./Monitoring";
import { Network } from "./Network";
import { documentedName } from "./names";
import { RegistrationBuffer } from "./RegistrationBuffer";
import { rdsAuthorities } from "./rdsAuthorities";
import { SecretRotation } from "./SecretRotation";
import { withoutSourceMaps } from "./sourceMaps";
import { UserPool } from "./UserPool";
import { UserRegistration } from "./UserRegistration";

// Where the Pulumi CLI runs the program, and from where it reads the files of archives. Elsewhere it runs there too.
process.chdir(__dirname);

export = () => withoutSourceMaps(program);

/** The whole system: configuration → components → outputs. */
async function program() {
  const { stack, region, settings, extraAuthorities, verifiedByBundle } = readSurroundings();
  const protect = settings["data.protect"];
  const rotationDays = settings["secret.rotationDays"];
  const rotated = rotationDays > 0;
  const isPublic = settings["database.access"] === "public";
  // In esbuild's process, while this one loads what the first components need.
  const bundling = bundleFunctions(region, functionsOf(settings));

  const network = new Network("network", {
    region,
    cidr: settings["network.cidr"],
    deployerCidrs: settings["database.deployerCidrs"],
    proxy: settings["database.proxy"],
    protect,
  });
  const database = new Database("database", {
    size: databaseSize(settings),
    subnetIds: network.databaseSubnetIds,
    securityGroupId: network.databaseSecurityGroupId,
    publiclyAccessible: isPublic,
    wayIn: network.wayIn,
    backupDays: settings["database.backupDays"],
    logRetentionDays: settings["logs.retentionDays"],
    protect,
  });
  const bundles = await bundling;
  const schema = new DatabaseSchema("schema", {
    instance: database.server,
    address: database.address,
    port: database.port,
    adminUsername: database.administrator.user,
    adminPassword: database.administrator.password,
    // The function inside adds what its own environment names: what this machine trusts is no matter of the VPC.
    authorities: rdsAuthorities(region, isPublic ? extraAuthorities : []),
    verifiedByBundle,
    rotated,
    // From outside, nobody reaches a private database.
    ...(isPublic
      ? {}
      : {
          inside: {
            bundle: bundles.applySchema,
            subnetIds: network.privateSubnetIds,
            securityGroupId: network.functionSecurityGroupId,
            logRetentionDays: settings["logs.retentionDays"],
            dependsOn: network.wayToDatabase,
          },
        }),
  });
  const ownSecret = new DatabaseSecret("secret", {
    secretName: documentedName("ecommerce_secret", stack),
    recoveryDays: settings["secret.recoveryDays"],
    rotated,
    protect,
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
  const secret = ownSecret.write({ username: schema.userName, password: schema.userPassword, ...endpoint });
  const registration = new UserRegistration("register-user", {
    bundle: bundles.registerUser,
    secretName: secret.secretName,
    secretArn: secret.arn,
    subnetIds: network.privateSubnetIds,
    securityGroupId: network.functionSecurityGroupId,
    memoryMiB: settings["registration.memoryMiB"],
    reservedConcurrency: settings["registration.reservedConcurrency"],
    logRetentionDays: settings["logs.retentionDays"],
    dependsOn: [schema.grant, network.secretEndpoint],
  });
  const buffer = settings["registration.buffer"]
    ? new RegistrationBuffer("registration-buffer", {
        bundle: bundles.enqueueUser,
        registration,
        reservedConcurrency: settings["registration.reservedConcurrency"],
        protect,
      })
    : undefined;
  const users = new UserPool("users", {
    region,
    domainPrefix: settings.domainPrefix,
    callbackUrls: settings.callbackUrls,
    signOutUrls: settings.signOutUrls,
    separateWriters: settings["api.writers"] === "application",
    registration,
    buffer,
    protect,
  });
  registration.allow(users.arn);
  buffer?.allow(users.arn);
  const rotation = rotated
    ? new SecretRotation("rotate-secret", {
        bundle: bundles.rotateSecret,
        secretArn: secret.arn,
        firstVersion: secret.versionId,
        everyDays: rotationDays,
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
      })
    : undefined;

  const bucket = new ImageBucket("images", { bucketName: settings.bucketName, protect });
  const role = new ImageApiRole("image-api-role", {
    roleName: documentedName("ecommerce-api-gateway-to-s3", stack),
    bucketArn: bucket.arn,
    accountLogRole: settings["api.accountLogRole"],
  });
  const apiName = documentedName("ecommerce-api-for-s3", stack);
  const api = new ImageApi("image-api", {
    region,
    apiName,
    stageName: settings["api.stage"],
    corsOrigin: settings["api.corsOrigin"],
    userPoolArn: users.arn,
    roleArn: role.arn,
    writeScope: users.writeScope,
    uploads: { ownPrefix: settings["api.ownPrefix"], overwrite: settings["api.overwrite"] },
  });

  new Monitoring("monitoring", {
    stack,
    region,
    ...(settings["alarms.email"] === "none" ? {} : { email: settings["alarms.email"] }),
    registration,
    queueingFunctionName: buffer?.functionName,
    database: { ...watchedDatabase(settings), identifier: database.identifier },
    proxyName: proxy?.proxyName,
    api: { name: apiName, stage: settings["api.stage"] },
    queueName: buffer?.queueName,
    deadLetterQueueName: buffer?.deadLetterQueueName,
    rotationLogGroupName: rotation?.logGroupName,
  });

  return {
    region,
    userPoolId: users.id,
    userPoolClientId: users.clientId,
    cognitoEndpoint: `https://cognito-idp.${region}.amazonaws.com`,
    signInUrl: users.signInUrl,
    mysql: { host: database.address, port: database.port, database: schema.databaseName },
    secretsManagerEndpoint: `https://secretsmanager.${region}.amazonaws.com`,
    secretName: secret.secretName,
    functionName: registration.functionName,
    lambdaEndpoint: `https://lambda.${region}.amazonaws.com`,
    bucketName: bucket.bucketName,
    bucketUrl: bucket.url,
    apiUrl: api.url,
    ...localPage(settings.callbackUrls),
  };
}

/** Folders of the functions that this stack has. */
function functionsOf(settings: Settings) {
  const wanted = {
    registerUser: true,
    enqueueUser: settings["registration.buffer"],
    rotateSecret: settings["secret.rotationDays"] > 0,
    applySchema: settings["database.access"] === "private",
  };
  return (Object.keys(wanted) as (keyof typeof wanted)[]).filter((folder) => wanted[folder]);
}

const isAurora = (settings: Settings) => settings["database.kind"] === "aurora";

function databaseSize(settings: Settings): InstanceSize | AuroraSize {
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

function watchedDatabase(settings: Settings) {
  return isAurora(settings)
    ? ({ kind: "aurora", connectionLimit: auroraConnectionLimit(settings["database.maxMemoryGiB"]) } as const)
    : { instanceClass: settings["database.instanceClass"], storageGiB: settings["database.storageGiB"] };
}

/** The page of `npm start` and `npm run web` is served where managed login may send people back to. */
function localPage(callbackUrls: readonly string[]): { webUrl?: string } {
  const webUrl = callbackUrls.find((url) => new URL(url).hostname === "localhost");
  return webUrl === undefined ? {} : { webUrl };
}
