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
import type { InvokeTrigger } from "../services/cognito/state";
import { Iam } from "../services/iam/iam";
import { FunctionFailed, invokeForCognito } from "../services/lambda/cognitoTrigger";
import { Lambda } from "../services/lambda/lambda";
import { logFileOf } from "../services/lambda/log";
import { ManagedLogin } from "../services/managed-login/login";
import { type RegisteredResource, reachabilityProblems } from "../services/network/reachability";
import { randomPasswords } from "../services/random/randomPasswords";
import { MySql } from "../services/rds/MySql";
import { RdsProxies } from "../services/rds/rdsProxy";
import { ObjectStore } from "../services/s3/objectStore";
import type { RotationFunctions } from "../services/secretsmanager/rotation";
import { SecretsManager } from "../services/secretsmanager/secretsManager";
import { Sqs } from "../services/sqs/sqs";
import type { ConsoleReporter } from "./consoleReporter";

/** All local services, started and connected, before the program is evaluated. */
export interface LocalServices {
  /** Type tokens that are recorded but not simulated, each with the number of its resources. */
  readonly notSimulated: ReadonlyMap<string, number>;
  /** The environment for the program: it trusts this machine's database. */
  readonly environment: NodeJS.ProcessEnv;
  /** Ends every server and process, in the reverse order of their start. */
  close(): Promise<void>;
  /** @returns the `sub` of an access token's user. @throws InvalidToken */
  subOf(accessToken: string): string;
  /** Creates one resource, or records it if no service simulates its type. */
  make(resource: ResourceRegistration): Promise<CreateResult>;
  /**
   * The outputs of the evaluated program, with this machine's addresses.
   *
   * @throws CommandError if the registered network, which this machine does not use, would not work on AWS, or if a proxy
   *   accepts no user
   */
  finish(deployed: Readonly<Record<string, unknown>>): Promise<Outputs>;
}

/** The services that `LocalServices` and the outputs need. */
interface StartedServices {
  readonly mysql: MySql;
  readonly iam: Iam;
  readonly secrets: SecretsManager;
  readonly proxies: RdsProxies;
  readonly lambda: Lambda;
  readonly cognito: Cognito;
  readonly login: ManagedLogin;
  readonly objects: ObjectStore;
}

/** Adds a service to those that `close` ends, when it has started. */
type Start = <S extends LocalService>(service: S | Promise<S>) => Promise<S>;

type Reporter = Pick<ConsoleReporter, "info" | "failed">;

/**
 * Starts every local service.
 *
 * @param reporter gets what services report, and triggers that fail; @default reports nothing
 * @param startMySql starts the database, @default the first source of `local/mysql/sources.ts` that works
 * @throws CommandError and others; the services that had started are ended before
 */
export async function startServices(
  folder: DataFolder,
  region = defaultRegion,
  reporter: Reporter = { info() {}, failed() {} },
  startMySql: (context: ServiceContext) => Promise<MySql> = (context) => MySql.start(context),
): Promise<LocalServices> {
  const context: ServiceContext = {
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
    // The server starts in a process of its own while this process loads the program and the smoke test.
    const starting = start(startMySql(context));
    preload();
    require("./smokeTest");
    const services = await startInOrder(context, await starting, start, reporter);
    const { cognito, mysql, proxies } = services;
    const unsimulated = new UnsimulatedResources(context);
    const handlers = mergeHandlers(
      randomPasswords(folder),
      {
        "pulumi-nodejs:dynamic:Resource": createDynamicResource,
        "pulumi:providers:aws": ({ name }) => ({ id: name, outputs: {} }),
      },
      ...started.map((service) => service.handlers),
    );
    const registered: RegisteredResource[] = [];

    return {
      environment: mysql.trustingEnvironment,
      notSimulated: unsimulated.types,
      close,
      subOf(accessToken) {
        try {
          return String(cognito.state.tokens.access(cognito.state, accessToken).claims.sub);
        } catch (cause) {
          throw new InvalidToken((cause as Error).message, { cause });
        }
      },
      make: async (resource) => {
        const result = await withAwsErrors(handlers[resource.type] ?? unsimulated.make, resource);
        registered.push({ ...resource, ...result });
        return result;
      },
      finish: async (deployed) => {
        await assertReachable(registered, proxies);
        return addresses(services, deployed as unknown as Outputs);
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Starts the services around the database, each with the earlier ones that it needs. */
async function startInOrder(
  context: ServiceContext,
  mysql: MySql,
  start: Start,
  reporter: Reporter,
): Promise<StartedServices> {
  const iam = await start(new Iam(context));
  const secrets = await start(SecretsManager.start(context, iam));
  const proxies = await start(new RdsProxies(context, { iam, mysql, secretsEndpoint: secrets.endpoint }));
  // The environment of each container.
  const environment: Record<string, string> = {
    AWS_ENDPOINT_URL_SECRETS_MANAGER: secrets.endpoint,
    NODE_EXTRA_CA_CERTS: mysql.caFile,
    // On AWS the Node is that of `runtime`; the SDK's warning about this machine's does not belong in a function's log.
    AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: "true",
  };
  const lambda = await start(Lambda.start(context, { iam, platformEnvironment: () => environment }));
  secrets.rotationFunctions = rotationFunctions(lambda);
  const queues = await start(Sqs.start(context, iam, lambda));
  environment.AWS_ENDPOINT_URL_SQS = queues.endpoint;
  const cognito = await start(Cognito.start(context, triggerCaller(lambda, context, reporter)));
  const login = await start(ManagedLogin.start(context, cognito));
  const objects = await start(new ObjectStore(context, iam));
  await start(new ApiGateway(context, { s3: objects, roles: iam, userPools: (arn) => issuerOf(cognito, arn) }));
  return { mysql, iam, secrets, proxies, lambda, cognito, login, objects };
}

/** The functions that Secrets Manager may invoke to rotate a secret. */
function rotationFunctions(lambda: Lambda): RotationFunctions {
  return (functionArn, sourceArn) =>
    lambda.authorized(functionArn, { service: "secretsmanager.amazonaws.com", sourceArn });
}

/** Calls a trigger for Cognito. A failure is also reported, with the function's log. */
function triggerCaller(lambda: Lambda, { directory }: ServiceContext, reporter: Reporter): InvokeTrigger {
  return (functionArn, event, poolArn) =>
    invokeForCognito(lambda, functionArn, event, poolArn).catch((error: Error) => {
      const name = functionArn.split(":").at(-1)!;
      const what = error instanceof FunctionFailed ? `${error.errorType}: ${error.message}` : error.message;
      reporter.failed(`${name}: ${what} (log: ${shownPath(join(directory, logFileOf(name)))})`);
      throw error;
    });
}

/** Reports an error that AWS would return for a resource as an error of that resource. */
async function withAwsErrors(handler: CreateHandler, resource: ResourceRegistration): Promise<CreateResult> {
  try {
    return await handler(resource);
  } catch (error) {
    throw error instanceof AwsError ? provisioningError(resource, error.message, error) : error;
  }
}

/** The program's outputs, with the addresses and credentials of this machine. */
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

/** A path relative to the working directory, if it is below that. */
function shownPath(path: string): string {
  const fromHere = relative(process.cwd(), path);
  return fromHere.startsWith("..") ? path : fromHere;
}

async function assertReachable(registered: readonly RegisteredResource[], proxies: RdsProxies): Promise<void> {
  const problems = [...reachabilityProblems(registered), ...(await proxies.problems())];
  if (problems.length > 0) throw new CommandError(`On AWS this network would not do: ${problems.join("; ")}.`);
}

/** A user pool for an authorizer, which reads the pool's keys over HTTP from the pool's endpoint. */
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
