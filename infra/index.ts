import "./errors/stackTraces";
import { readContext, type Settings } from "./config";
import { createDatabase, createDatabaseAccess } from "./database";
import { requirePulumi } from "./errors/pulumiVersion";
import { withoutSourceMaps } from "./errors/sourceMaps";
import { reportUserErrors } from "./errors/userErrors";
import { createImages } from "./images";
import { bundleFunctions } from "./lambda/bundle";
import { createMonitoring } from "./monitoring";
import { createNetwork } from "./network";
import { createSchema } from "./schema";
import { createUsers } from "./users";

export = (environment: NodeJS.ProcessEnv = process.env) =>
  reportUserErrors(() => withoutSourceMaps(() => program(environment)));

/** The whole system: configuration → components → outputs. */
async function program(environment: NodeJS.ProcessEnv) {
  await requirePulumi();
  const context = readContext(environment);
  const { region, settings } = context;
  // esbuild runs in a process of its own, while this process loads the modules of the first components.
  const bundling = bundleFunctions(region, functionsOf(settings));

  const network = createNetwork(context);
  const database = createDatabase(context, network);
  const bundles = await bundling;
  const schema = createSchema(context, { network, database }, bundles.applySchema);
  const { rotateSecret } = bundles;
  const { secret, proxy, rotation } = createDatabaseAccess(context, { network, database, schema, rotateSecret });
  const { registration, buffer, users } = createUsers(context, bundles, { network, schema, secret });
  const { bucket, api, apiName } = createImages(context, users);
  createMonitoring(context, { registration, buffer, database, proxy, rotation, apiName });

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
  const included = {
    registerUser: true,
    enqueueUser: settings["registration.buffer"],
    rotateSecret: settings["secret.rotationDays"] > 0,
    applySchema: settings["database.access"] === "private",
  };
  return (Object.keys(included) as (keyof typeof included)[]).filter((folder) => included[folder]);
}

/** The settings under `api` that a front end needs before it uploads. */
const uploadsOf = (settings: Settings) => ({
  ownPrefix: settings["api.ownPrefix"],
  overwrite: settings["api.overwrite"],
  writers: settings["api.writers"],
});

/** The address of the page of `npm start` and `npm run web`: the first callback URL on localhost. */
function localPage(callbackUrls: readonly string[]): { webUrl?: string } {
  const webUrl = callbackUrls.find((url) => new URL(url).hostname === "localhost");
  return webUrl === undefined ? {} : { webUrl };
}
