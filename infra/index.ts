import { readSurroundings } from "./config";
import { Database } from "./Database";
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
import { UserPool } from "./UserPool";
import { UserRegistration } from "./UserRegistration";

// Where the Pulumi CLI runs the program, and from where it reads the files of archives. Elsewhere it runs there too.
process.chdir(__dirname);

/** The whole system: configuration → components → outputs. */
export = async function program() {
  const { stack, region, settings, extraAuthorities, verifiedByBundle } = readSurroundings();
  const protect = settings["data.protect"];
  const rotationDays = settings["secret.rotationDays"];
  const rotated = rotationDays > 0;

  const network = new Network("network", {
    region,
    cidr: settings["network.cidr"],
    deployerCidrs: settings["database.deployerCidrs"],
  });
  const database = new Database("database", {
    subnetIds: network.publicSubnetIds,
    securityGroupId: network.databaseSecurityGroupId,
    publiclyAccessible: true,
    instanceClass: settings["database.instanceClass"],
    storageGiB: settings["database.storageGiB"],
    backupDays: settings["database.backupDays"],
    multiAz: settings["database.multiAz"],
    protect,
  });
  const schema = new DatabaseSchema("schema", {
    instance: database.instance,
    address: database.address,
    port: database.port,
    adminUsername: database.administrator.user,
    adminPassword: database.administrator.password,
    authorities: rdsAuthorities(region, extraAuthorities),
    verifiedByBundle,
    rotated,
    protect,
  });
  const secret = new DatabaseSecret("secret", {
    secretName: documentedName("ecommerce_secret", stack),
    username: schema.userName,
    password: schema.userPassword,
    host: database.address,
    port: database.port,
    dbClusterIdentifier: database.identifier,
    recoveryDays: settings["secret.recoveryDays"],
    rotated,
    protect,
  });
  const registration = new UserRegistration("register-user", {
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
        registration,
        reservedConcurrency: settings["registration.reservedConcurrency"],
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
  if (rotated) {
    new SecretRotation("rotate-secret", {
      secretArn: secret.arn,
      everyDays: rotationDays,
      subnetIds: network.privateSubnetIds,
      securityGroupId: network.functionSecurityGroupId,
      logRetentionDays: settings["logs.retentionDays"],
      dependsOn: [network.secretEndpoint, ...(schema.passwordGrant ? [schema.passwordGrant] : [])],
    });
  }

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
    database: {
      identifier: database.identifier,
      instanceClass: settings["database.instanceClass"],
      storageGiB: settings["database.storageGiB"],
    },
    api: { name: apiName, stage: settings["api.stage"] },
    deadLetterQueueName: buffer?.deadLetterQueueName,
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
};

/** The page of `npm start` and `npm run web` is served where managed login may send people back to. */
function localPage(callbackUrls: readonly string[]): { webUrl?: string } {
  const webUrl = callbackUrls.find((url) => new URL(url).hostname === "localhost");
  return webUrl === undefined ? {} : { webUrl };
}
