import "./errors/stackTraces";
import { readSurroundings, type Settings } from "./config";
import { databaseParts, watchedDatabase } from "./database";
import { requirePulumi } from "./errors/pulumiVersion";
import { withoutSourceMaps } from "./errors/sourceMaps";
import { reportUserErrors } from "./errors/userErrors";
import { imageParts } from "./images";
import { bundleFunctions } from "./lambda/bundle";
import { Monitoring } from "./monitoring/Monitoring";
import { userParts } from "./users";

// Where the Pulumi CLI runs the program, and from where it reads the files of archives. Elsewhere it runs there too.
process.chdir(__dirname);

export = () => reportUserErrors(() => withoutSourceMaps(program));

/** The whole system: configuration → components → outputs. */
async function program() {
  await requirePulumi();
  const surroundings = readSurroundings();
  const { stack, region, settings } = surroundings;
  // In esbuild's process, while this one loads what the first components need.
  const bundling = bundleFunctions(region, functionsOf(settings));

  const { network, database, schema, secret, proxy, rotation } = await databaseParts(surroundings, bundling);
  const { registration, buffer, users } = userParts(surroundings, await bundling, { network, schema, secret });
  const { bucket, api, apiName } = imageParts(surroundings, users);

  new Monitoring("monitoring", {
    stack,
    region,
    ...(settings["alarms.email"] === "none" ? {} : { email: settings["alarms.email"] }),
    registration,
    queueingFunctionName: buffer?.functionName,
    database: watchedDatabase(settings, database.identifier),
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
    uploads: uploadsOf(settings),
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

/** What a front end must know of the settings under `api` before it uploads. */
const uploadsOf = (settings: Settings) => ({
  ownPrefix: settings["api.ownPrefix"],
  overwrite: settings["api.overwrite"],
  writers: settings["api.writers"],
});

/** The page of `npm start` and `npm run web` is served where managed login may send people back to. */
function localPage(callbackUrls: readonly string[]): { webUrl?: string } {
  const webUrl = callbackUrls.find((url) => new URL(url).hostname === "localhost");
  return webUrl === undefined ? {} : { webUrl };
}
