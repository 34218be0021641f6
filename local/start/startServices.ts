import { join, relative } from "node:path";
import type { Jwks } from "aws-jwt-verify/jwk";
import { CommandError } from "../../cli/commandError";
import type { Outputs } from "../../cli/localOutputs";
import { InvalidToken } from "../../cli/page/server";
import { createDynamicResource } from "../../host/dynamicResources";
import { preload } from "../../host/program";
import {
  type CreateHandler,
  type CreateResult,
  provisioningError,
  type ResourceRegistration,
} from "../../host/resources";
import { defaultRegion } from "../../host/stackConfig";
import type { DataFolder } from "../lib/dataFolder";
import { type LocalService, mergeHandlers, type ServiceContext } from "../lib/service";
import { UnsimulatedResources } from "../lib/unsimulatedResources";
import { ApiGateway } from "../services/apigateway/apiGateway";
import { AwsError } from "../services/aws/awsError";
import { Cognito } from "../services/cognito/cognito";
import { Iam } from "../services/iam/iam";
import { FunctionFailed, invokeForCognito } from "../services/lambda/cognitoTrigger";
import { Lambda } from "../services/lambda/lambda";
import { logFileOf } from "../services/lambda/log";
import { Login } from "../services/managed-login/login";
import { type Placed, unreachable } from "../services/network/reachability";
import { randomPasswords } from "../services/random/randomPasswords";
import { MySql } from "../services/rds/MySql";
import { RdsProxies } from "../services/rds/rdsProxy";
import { ObjectStore } from "../services/s3/objectStore";
import { SecretsManager } from "../services/secretsmanager/secretsManager";
import { Sqs } from "../services/sqs/sqs";
import type { ConsoleReporter } from "./consoleReporter";

/** Every local service, started and wired to the others, before the program is evaluated. */
export interface LocalServices {
  /** Type tokens that were recorded but that nothing here simulates, with how many there are. */
  readonly notSimulated: ReadonlyMap<string, number>;
  /** The environment that the program is to read: it trusts this machine's database. */
  readonly environment: NodeJS.ProcessEnv;
  /** Ends every server and process, in the reverse order of their start. */
  close(): Promise<void>;
  /** @returns who an access token was issued to. @throws InvalidToken */
  subOf(accessToken: string): string;
  /** Makes one resource, or records it where nothing here simulates it. */
  make(resource: ResourceRegistration): Promise<CreateResult>;
  /**
   * Where everything is, from the outputs of the evaluated program.
   *
   * @throws CommandError where the registered network, which this machine has no use for, would not do on AWS, or a proxy
   *   lets nobody through
   */
  finish(deployed: Readonly<Record<string, unknown>>): Promise<Outputs>;
}

/** The services that the others, or the addresses, are made of. */
interface StartedServices {
  readonly mysql: MySql;
  readonly iam: Iam;
  readonly secrets: SecretsManager;
  readonly proxies: RdsProxies;
  readonly lambda: Lambda;
  readonly cognito: Cognito;
  readonly login: Login;
  readonly objects: ObjectStore;
}

/** Starts a service and notes it, so that it is ended with the others. */
type Start = <S extends LocalService>(service: S | Promise<S>) => Promise<S>;

type Reporter = Pick<ConsoleReporter, "info" | "failed">;

/**
 * Starts every local service.
 *
 * @param reporter hears of facts that a service reports, and of triggers that fail; @default nobody does
 * @param startMySql starts the database, @default as `local/mysql/sources.ts` finds one
 * @throws CommandError and others after everything that had started was ended again
 */
export async function startServices(
  folder: DataFolder,
  region = defaultRegion,
  reporter: Reporter = { info() {}, failed() {} },
  startMySql: (site: ServiceContext) => Promise<MySql> = (site) => MySql.start(site),
): Promise<LocalServices> {
  const site: ServiceContext = {
    directory: folder.path,
    region,
    accountId: "000000000000",
    port: (use) => folder.port(use),
    info: (line) => reporter.info(line),
  };
  const started: LocalService[] = [];
  const close = async () => {
    for (const service of started.splice(0).reverse()) await service.close();
  };
  const start: Start = async (service) => {
    started.push(await service);
    return service;
  };

  try {
    // The server starts in a process of its own while this one loads the program.
    const starting = start(startMySql(site));
    preload();
    const services = await startInOrder(site, await starting, start, reporter);
    const { cognito, mysql, proxies } = services;
    const recorder = new UnsimulatedResources(site);
    const handlers = mergeHandlers(
      randomPasswords(folder),
      {
        "pulumi-nodejs:dynamic:Resource": createDynamicResource,
        "pulumi:providers:aws": ({ name }) => ({ id: name, outputs: {} }),
      },
      ...started.map((service) => service.handlers),
    );
    const placed: Placed[] = [];

    return {
      environment: mysql.trustingEnvironment,
      notSimulated: recorder.types,
      close,
      subOf(accessToken) {
        try {
          return String(cognito.state.tokens.access(cognito.state, accessToken).claims.sub);
        } catch (cause) {
          throw new InvalidToken((cause as Error).message, { cause });
        }
      },
      make: async (resource) => {
        const made = await withAwsErrors(handlers[resource.type] ?? recorder.make, resource);
        placed.push({ ...resource, ...made });
        return made;
      },
      finish: async (deployed) => {
        await assertReachable(placed, proxies);
        return addresses(services, deployed as unknown as Outputs);
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Starts the services around the database, each with what it needs of the others. */
async function startInOrder(
  site: ServiceContext,
  mysql: MySql,
  start: Start,
  reporter: Reporter,
): Promise<StartedServices> {
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
        reporter.failed(`${name}: ${what} (log: ${shownPath(join(site.directory, logFileOf(name)))})`);
        throw error;
      }),
    ),
  );
  const login = await start(Login.start(site, cognito));
  const objects = await start(new ObjectStore(site, iam));
  await start(new ApiGateway(site, { s3: objects, roles: iam, userPools: (arn) => issuerOf(cognito, arn) }));
  return { mysql, iam, secrets, proxies, lambda, cognito, login, objects };
}

/** What AWS would answer a deployment is told as a refusal of the resource. */
async function withAwsErrors(handler: CreateHandler, resource: ResourceRegistration): Promise<CreateResult> {
  try {
    return await handler(resource);
  } catch (error) {
    throw error instanceof AwsError ? provisioningError(resource, error.message, error) : error;
  }
}

/** The program's outputs with this machine's addresses and credentials laid over them. */
async function addresses({ mysql, iam, ...services }: StartedServices, deployed: Outputs): Promise<Outputs> {
  return {
    ...deployed,
    cognitoEndpoint: services.cognito.endpoint,
    signInUrl: services.login.localUrl(deployed.signInUrl),
    mysql: { ...mysql.administrator, database: deployed.mysql.database },
    secretsManagerEndpoint: services.secrets.endpoint,
    lambdaEndpoint: services.lambda.endpoint,
    bucketUrl: await services.objects.bucketUrl(deployed.bucketName),
    mailbox: services.cognito.mailboxUrl,
    ...iam.administrator,
    authorityFile: mysql.caFile,
  };
}

/** A path as a person at this machine would type it. */
function shownPath(path: string): string {
  const fromHere = relative(process.cwd(), path);
  return fromHere.startsWith("..") ? path : fromHere;
}

async function assertReachable(placed: readonly Placed[], proxies: RdsProxies): Promise<void> {
  const faults = [...unreachable(placed), ...(await proxies.faults())];
  if (faults.length > 0) throw new CommandError(`On AWS this network would not do: ${faults.join("; ")}.`);
}

/** A pool as an authorizer knows it; its keys are read over HTTP, from where it publishes them. */
function issuerOf(cognito: Cognito, poolArn: string) {
  const pool = [...cognito.state.pools.values()].find(({ arn }) => arn === poolArn);
  if (!pool) return undefined;
  const issuer = cognito.issuer(pool.id);
  return {
    issuer,
    jwks: async () => (await fetch(`${issuer}/.well-known/jwks.json`)).json() as Promise<Jwks>,
    clientIds: () =>
      [...cognito.state.clients.values()].filter((client) => client.pool.id === pool.id).map(({ id }) => id),
  };
}
