import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import {
  type CreateHandler,
  type CreateResult,
  provisioningError,
  type ResourceRegistration,
} from "../../../host/resources";
import type { LocalService, ServiceContext } from "../../lib/service";
import { AwsError, notAuthorized } from "../aws/awsError";
import { AwsServer } from "../aws/awsServer";
import { shortHash } from "../aws/names";
import { evaluate } from "../iam/evaluate";
import type { Iam } from "../iam/iam";
import { checkedPolicy } from "../iam/policy";
import { unpack } from "./archive";
import type { Outcome } from "./container";
import { answerInvoke } from "./endpoint";
import { RunnableFunction } from "./function";
import { makeInvocation } from "./invocation";
import { FunctionLog, logFileOf } from "./log";
import { Reaper } from "./reaper";
import { readSettings } from "./settings";

/** The caller: an AWS service on behalf of one of its resources, or the owner of an access key. */
export type Caller = { readonly service: string; readonly sourceArn: string } | { readonly accessKeyId: string };

export interface InvokeRequest {
  /** The function's name or ARN. */
  readonly function: string;
  /** JSON text. */
  readonly event: string;
  readonly caller: Caller;
}

export interface LambdaOptions {
  readonly iam: Iam;
  /**
   * Environment variables of containers in addition to Lambda's own, for example `AWS_ENDPOINT_URL_SECRETS_MANAGER` and
   * `NODE_EXTRA_CA_CERTS`. Called at each start of a container.
   */
  platformEnvironment(): Readonly<Record<string, string>>;
}

const invokeAction = "lambda:InvokeFunction";

/**
 * Lambda on 127.0.0.1: runs the archives that the program packaged. Each container is a separate process without this
 * process's environment. Refuses services that no `Permission` allows, and roles that no policy allows.
 */
export class Lambda implements LocalService {
  readonly handlers: Readonly<Record<string, CreateHandler>> = {
    "aws:lambda/function:Function": (resource) => this.#makeFunction(resource),
    "aws:lambda/permission:Permission": (resource) => this.#makePermission(resource),
    "aws:lambda/invocation:Invocation": (resource) => makeInvocation(resource, (name) => this.functionOf(name)),
  };

  readonly #context: ServiceContext;
  readonly #options: LambdaOptions;
  readonly #functions = new Map<string, RunnableFunction>();
  /** Statements of resource policies by function name, then by statement ID. */
  readonly #permissions = new Map<string, Map<string, object>>();
  readonly #reaper = new Reaper();
  #server: AwsServer | undefined;

  private constructor(context: ServiceContext, options: LambdaOptions) {
    this.#context = context;
    this.#options = options;
  }

  /**
   * Starts the endpoint on port `lambda`.
   * @throws CommandError where the port is taken.
   */
  static async start(context: ServiceContext, options: LambdaOptions): Promise<Lambda> {
    const port = await context.port("lambda");
    const lambda = new Lambda(context, options);
    const server = {
      service: "lambda",
      region: context.region,
      port,
      iam: options.iam,
      contentType: "application/json",
    };
    try {
      lambda.#server = await AwsServer.start({ ...server, maxBody: 6 * 1024 * 1024 }, (call) =>
        answerInvoke(lambda, call),
      );
    } catch (error) {
      await lambda.close();
      throw error;
    }
    return lambda;
  }

  /** The URL for an SDK's `endpoint`. */
  get endpoint(): string {
    return this.#server!.url;
  }

  /** Ends the endpoint and every container, and waits until they are gone. */
  async close(): Promise<void> {
    await this.#server?.close();
    await Promise.all([...this.#functions.values()].map((runnable) => runnable.close()));
    await this.#reaper.close();
  }

  /**
   * Invokes a function and waits for its end. A function that fails is an outcome, not an exception.
   * @throws AwsError ResourceNotFoundException, AccessDeniedException or TooManyRequestsException.
   */
  async invoke(request: InvokeRequest): Promise<Outcome> {
    return this.authorized(request.function, request.caller).invoke(request.event);
  }

  /**
   * The function by name or ARN, if the caller may invoke it.
   * @throws AwsError AccessDeniedException if no permission or policy allows it, ResourceNotFoundException.
   */
  authorized(nameOrArn: string, caller: Caller): RunnableFunction {
    const name = this.#nameOf(nameOrArn);
    const arn = this.#arnOf(name);
    const { allowed, who } = this.#mayInvoke(name, arn, caller);
    if (!allowed) {
      const kind = "service" in caller ? "resource" : "identity";
      const message = notAuthorized(who, invokeAction, arn, kind);
      throw new AwsError("AccessDeniedException", 403, message, { Type: "User" });
    }
    return this.#find(name);
  }

  /**
   * The function by name or ARN, without a check of permissions: for Lambda's own event source mappings, and for the
   * deployer.
   * @throws AwsError ResourceNotFoundException.
   */
  functionOf(nameOrArn: string): RunnableFunction {
    return this.#find(this.#nameOf(nameOrArn));
  }

  /** The last lines of a function's log, oldest first, including what its containers have written until now. */
  async recentLogs(name: string): Promise<string[]> {
    const { log } = this.#find(this.#nameOf(name));
    // Output that is already in the pipes is read in the next turns of the event loop.
    for (let turn = 0; turn < 3; turn++) await setImmediate();
    return log.recent();
  }

  /** Containers that a function has had so far. */
  containersStarted(name: string): number {
    return this.#find(this.#nameOf(name)).containersStarted;
  }

  async #makeFunction(resource: ResourceRegistration): Promise<CreateResult> {
    const { directory, region } = this.#context;
    const { iam } = this.#options;
    const settings = readSettings(resource, this.#context, iam);
    const { name, arn, logGroup } = settings;
    await this.#functions.get(name)?.close();
    const { folder, sha256, zippedSize } = await unpack(resource, join(directory, "functions", name));
    const log = new FunctionLog(join(directory, logFileOf(name)));
    const credentials = () => iam.credentialsFor(settings.role);
    const platformEnvironment = () => this.#options.platformEnvironment();
    const reaper = this.#reaper;
    const options = { settings, folder, log, reaper, region, platformEnvironment, credentials };
    this.#functions.set(name, new RunnableFunction(options));
    const invokeArn = `arn:aws:apigateway:${region}:lambda:path/2015-03-31/functions/${arn}/invocations`;
    const logging = {
      ...(resource.inputs.loggingConfig as object | undefined),
      logFormat: settings.logFormat,
      logGroup,
    };
    return {
      id: name,
      outputs: {
        arn,
        name,
        invokeArn,
        qualifiedArn: `${arn}:$LATEST`,
        version: "$LATEST",
        loggingConfig: logging,
        codeSha256: sha256,
        sourceCodeSize: zippedSize,
      },
    };
  }

  #makePermission(resource: ResourceRegistration): CreateResult {
    const { name: logicalName, inputs } = resource;
    const { principal, sourceArn, sourceAccount, action } = inputs;
    const name = this.#nameOf(String(inputs.function));
    this.#find(name);
    if (typeof principal !== "string" || typeof action !== "string") {
      throw provisioningError(resource, `it needs an action (${invokeAction}) and a principal.`);
    }
    if (inputs.qualifier !== undefined)
      throw provisioningError(resource, "qualifier is not simulated on this machine.");
    const id = String(inputs.statementId ?? `${logicalName}-${shortHash(logicalName)}`);
    const isService = principal.endsWith(".amazonaws.com");
    const statement = {
      Sid: id,
      Effect: "Allow",
      Principal: principal === "*" ? "*" : { [isService ? "Service" : "AWS"]: principal },
      Action: action,
      Resource: this.#arnOf(name),
      Condition: {
        ...(sourceArn === undefined ? {} : { ArnLike: { "AWS:SourceArn": sourceArn } }),
        ...(sourceAccount === undefined ? {} : { StringEquals: { "AWS:SourceAccount": sourceAccount } }),
      },
    };
    const statements = this.#permissions.get(name) ?? new Map<string, object>();
    checkedPolicy(resource, "its statement", policyOf(new Map([[id, statement]])), "resource");
    this.#permissions.set(name, statements.set(id, statement));
    return { id, outputs: { statementId: id } };
  }

  #mayInvoke(name: string, arn: string, caller: Caller): { allowed: boolean; who: string } {
    if ("accessKeyId" in caller) {
      const { iam } = this.#options;
      const who = iam.roleOf(caller.accessKeyId) ?? caller.accessKeyId;
      return { allowed: iam.authorizeKey(caller.accessKeyId, invokeAction, arn).allowed, who };
    }
    const statements = this.#permissions.get(name);
    const decision = evaluate(statements ? [policyOf(statements)] : [], {
      action: invokeAction,
      resource: arn,
      principal: { type: "Service", name: caller.service },
      context: { "aws:SourceArn": caller.sourceArn, "aws:SourceAccount": this.#context.accountId },
    });
    return { allowed: decision === "allow", who: caller.service };
  }

  #find(name: string): RunnableFunction {
    const found = this.#functions.get(name);
    if (found) return found;
    const message = `Function not found: ${this.#arnOf(name)}`;
    throw new AwsError("ResourceNotFoundException", 404, message, { Type: "User" });
  }

  #arnOf(name: string): string {
    return `arn:aws:lambda:${this.#context.region}:${this.#context.accountId}:function:${name}`;
  }

  /** The name from a name or an ARN of this region and account. Other ARNs are returned unchanged, and not found. */
  #nameOf(nameOrArn: string): string {
    const prefix = this.#arnOf("");
    const name = nameOrArn.startsWith(prefix) ? nameOrArn.slice(prefix.length) : nameOrArn;
    return name.replace(/:\$LATEST$/, "");
  }
}

function policyOf(statements: ReadonlyMap<string, object>): object {
  return { Version: "2012-10-17", Statement: [...statements.values()] };
}
