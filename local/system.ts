import { join, relative } from "node:path";
import type { Jwks } from "aws-jwt-verify/jwk";
import { Cognito } from "./cognito/cognito";
import type { DataFolder } from "./folder";
import { ApiGateway } from "./gateway/apiGateway";
import { makeDynamic } from "./host/dynamic";
import { type Made, type Maker, type Part, type Registered, type Site, StartError } from "./host/part";
import { evaluate, preload } from "./host/program";
import { randomPasswords } from "./host/randomPasswords";
import { Recorder } from "./host/recorder";
import { defaultRegion } from "./host/stackConfig";
import { Iam } from "./iam/iam";
import { FunctionFailed, invokeForCognito } from "./lambda/cognitoTrigger";
import { Lambda } from "./lambda/lambda";
import { logFileOf } from "./lambda/log";
import { Login } from "./login/login";
import { MySql } from "./mysql/MySql";
import { RdsProxies } from "./mysql/rdsProxy";
import { type Placed, unreachable } from "./network/reachability";
import { ObjectStore } from "./objects/objectStore";
import type { Outputs } from "./outputs";
import { isFree } from "./ports";
import type { Screen } from "./screen";
import { SecretsManager } from "./secretsManager/secretsManager";
import { Sqs } from "./sqs/sqs";
import { rowOf } from "./usersTable";
import { InvalidToken, startWebServer } from "./web/server";

export interface SystemOptions {
  readonly folder: DataFolder;
  readonly stack: string;
  /** The stack's configuration, as Pulumi hands it to the program. */
  readonly values: Readonly<Record<string, string>>;
  /** Hears of every resource that was made, and of facts that a part reports. */
  readonly screen: Pick<Screen, "made" | "say" | "failed">;
}

/** The running local system. */
export interface System {
  readonly outputs: Outputs;
  /** Type tokens that were recorded but that nothing here simulates, with how many there are. */
  readonly notSimulated: ReadonlyMap<string, number>;
  /** Ends every server and process, in the reverse order of their start. */
  close(): Promise<void>;
}

/**
 * Starts every real part, evaluates the program against them, and answers where everything is.
 *
 * @throws StartError and others after everything that had started was ended again
 */
export async function startSystem({ folder, stack, values, screen }: SystemOptions): Promise<System> {
  await checkPagePort(values["ecommerce:callbackUrls"]);
  const parts = await startParts(folder, values["aws:region"], screen);
  try {
    const { outputs } = await evaluate({
      stack,
      values,
      make: async (resource) => {
        const begun = performance.now();
        const made = await parts.make(resource);
        screen.made(resource, made, performance.now() - begun);
        return made;
      },
    });
    const { notSimulated } = parts;
    const finished = await parts.finish(outputs);
    const page = finished.webUrl === undefined ? undefined : await startPage(finished.webUrl, finished, parts);
    const close = async () => {
      await page?.close();
      await parts.close();
    };
    return { outputs: finished, notSimulated, close };
  } catch (error) {
    await parts.close();
    throw error;
  }
}

/**
 * Which port the page is served on is the configuration's: managed login sends people back there.
 *
 * @throws StartError where it is taken on an address at which a browser looks for `localhost`
 */
async function checkPagePort(callbackUrls = "[]"): Promise<void> {
  const url = /http:\/\/localhost[^"]*/.exec(callbackUrls)?.[0];
  if (url === undefined) return;
  for (const address of ["127.0.0.1", "::1"] as const) {
    if (await isFree(portOf(url), address)) continue;
    throw new StartError(
      `Port ${portOf(url)} on ${address}, where the page is served because callbackUrls has ${url}, is taken by another ` +
        "program. End that program, or give other URLs: npm start -- --set callbackUrls=http://localhost:3001/ " +
        "--set signOutUrls=http://localhost:3001/",
    );
  }
}

const portOf = (url: string) => Number(new URL(url).port || 80);

/** The page of `web/`, with one's own row for whoever brings an access token. */
function startPage(webUrl: string, outputs: Outputs, parts: Parts) {
  return startWebServer({
    port: portOf(webUrl),
    settings: () => ({ ...outputs, webUrl }),
    me: (accessToken) => rowOf(parts.subOf(accessToken), outputs),
  });
}

/** A path as a person at this machine would type it. */
function shownPath(path: string): string {
  const fromHere = relative(process.cwd(), path);
  return fromHere.startsWith("..") ? path : fromHere;
}

/** Every real part, started and wired to the others, before the program is evaluated. */
export interface Parts extends Omit<System, "outputs"> {
  /** @returns who an access token was issued to. @throws InvalidToken */
  subOf(accessToken: string): string;
  /** Makes one resource, or records it where nothing here simulates it. */
  make(resource: Registered): Promise<Made>;
  /**
   * Where everything is, from the outputs of the evaluated program.
   *
   * @throws StartError where the registered network, which this machine has no use for, would not do on AWS, or a proxy
   *   lets nobody through
   */
  finish(deployed: Readonly<Record<string, unknown>>): Promise<Outputs>;
}

/**
 * Starts every real part.
 *
 * @param screen hears of facts that a part reports, and of triggers that fail; @default nobody does
 * @param startMySql starts the database, @default as `local/mysql/sources.ts` finds one
 * @throws StartError and others after everything that had started was ended again
 */
export async function startParts(
  folder: DataFolder,
  region = defaultRegion,
  screen: Pick<Screen, "say" | "failed"> = { say() {}, failed() {} },
  startMySql: (site: Site) => Promise<MySql> = (site) => MySql.start(site),
): Promise<Parts> {
  const site: Site = {
    directory: folder.path,
    region,
    accountId: "000000000000",
    port: (use) => folder.port(use),
    say: (line) => screen.say(line),
  };
  const started: Part[] = [];
  const close = async () => {
    for (const part of started.splice(0).reverse()) await part.close();
  };
  const start = async <P extends Part>(part: P | Promise<P>): Promise<P> => {
    started.push(await part);
    return part;
  };

  try {
    // The server starts in a process of its own while this one loads the program.
    const starting = start(startMySql(site));
    preload();
    const mysql = await starting;
    const iam = await start(new Iam(site));
    const secrets = await start(
      SecretsManager.start(site, iam, (functionArn, sourceArn) =>
        lambda.authorized(functionArn, { service: "secretsmanager.amazonaws.com", sourceArn }),
      ),
    );
    const proxies = await start(new RdsProxies(site, { iam, mysql, secretsEndpoint: secrets.endpoint }));
    const lambda: Lambda = await start(
      Lambda.start(site, {
        iam,
        platformEnvironment: () => ({
          AWS_ENDPOINT_URL_SECRETS_MANAGER: secrets.endpoint,
          AWS_ENDPOINT_URL_SQS: queues.endpoint,
          NODE_EXTRA_CA_CERTS: mysql.caFile,
          // Lambda's Node is the one of `runtime`; what the SDK says about this machine's is no line of the function's log.
          AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: "true",
        }),
      }),
    );
    const queues: Sqs = await start(Sqs.start(site, iam, lambda));
    const cognito = await start(
      Cognito.start(site, (functionArn, event, poolArn) =>
        invokeForCognito(lambda, functionArn, event, poolArn).catch((error: Error) => {
          const name = functionArn.split(":").at(-1)!;
          const what = error instanceof FunctionFailed ? `${error.errorType}: ${error.message}` : error.message;
          screen.failed(`${name}: ${what} (log: ${shownPath(join(folder.path, logFileOf(name)))})`);
          throw error;
        }),
      ),
    );
    const login = await start(Login.start(site, cognito));
    const objects = await start(new ObjectStore(site, iam));
    await start(new ApiGateway(site, { s3: objects, roles: iam, userPools: (arn) => issuerOf(cognito, arn) }));
    const recorder = new Recorder(site);
    const makers: Record<string, Maker> = {
      ...randomPasswords(folder),
      "pulumi-nodejs:dynamic:Resource": makeDynamic,
      "pulumi:providers:aws": ({ name }) => ({ id: name, outputs: {} }),
      ...Object.assign({}, ...started.map((part) => part.makers)),
    };

    const placed: Placed[] = [];

    trust(mysql.caFile);
    return {
      notSimulated: recorder.types,
      close,
      subOf(accessToken) {
        try {
          return String(cognito.world.tokens.access(cognito.world, accessToken).claims.sub);
        } catch (cause) {
          throw new InvalidToken((cause as Error).message, { cause });
        }
      },
      make: async (resource) => {
        const made = await (makers[resource.type] ?? recorder.make)(resource);
        placed.push({ ...resource, ...made });
        return made;
      },
      finish: async (outputs) => {
        await checkWays(placed, proxies);
        const deployed = outputs as unknown as Outputs;
        return {
          ...deployed,
          cognitoEndpoint: cognito.endpoint,
          signInUrl: login.localUrl(deployed.signInUrl),
          mysql: { ...mysql.administrator, database: deployed.mysql.database },
          secretsManagerEndpoint: secrets.endpoint,
          lambdaEndpoint: lambda.endpoint,
          bucketUrl: await objects.bucketUrl(deployed.bucketName),
          mailbox: cognito.mailboxUrl,
          ...iam.administrator,
          authorityFile: mysql.caFile,
        };
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}

async function checkWays(placed: readonly Placed[], proxies: RdsProxies): Promise<void> {
  const faults = [...unreachable(placed), ...(await proxies.faults())];
  if (faults.length > 0) throw new StartError(`On AWS this network would not do: ${faults.join("; ")}.`);
}

/** A pool as an authorizer knows it; its keys are read over HTTP, from where it publishes them. */
function issuerOf(cognito: Cognito, poolArn: string) {
  const pool = [...cognito.world.pools.values()].find(({ arn }) => arn === poolArn);
  if (!pool) return undefined;
  const issuer = cognito.issuer(pool.id);
  return {
    issuer,
    jwks: async () => (await fetch(`${issuer}/.well-known/jwks.json`)).json() as Promise<Jwks>,
    clientIds: () =>
      [...cognito.world.clients.values()].filter((client) => client.pool.id === pool.id).map(({ id }) => id),
  };
}

/** The program trusts what these standard variables name; here that is the authority of this machine's database. */
function trust(caFile: string): void {
  process.env.NODE_EXTRA_CA_CERTS = caFile;
  process.env.SSL_CERT_FILE = caFile;
}
