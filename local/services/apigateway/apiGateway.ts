import { randomBytes, randomUUID } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { join } from "node:path";
import type { TimeLimits } from "../../../cli/http";
import type { CreateHandler, CreateResult, ResourceRegistration } from "../../../host/resources";
import { required } from "../../lib/inputs";
import type { LocalService, ServiceContext } from "../../lib/service";
import { assertSupportedInputs, refuse } from "../../lib/supportedInputs";
import { type Answer, serve } from "../s3/serve";
import { CognitoAuthorizers, type UserPools } from "./authorizers";
import { Definitions } from "./definitions";
import { type Deployment, Deployments } from "./deployments";
import type { Dependencies, Served } from "./exchange";
import type { Backends } from "./integrations";
import { answerRequest } from "./pipeline";
import { routerOf } from "./routes";

/** The other services that the gateway uses. */
export interface GatewayServices extends Backends {
  readonly userPools: UserPools;
}

/** API Gateway's own limit for the request line and all headers together, in bytes. */
const headerLimit = 10_240;

/**
 * The REST APIs that the program registered and deployed, served at `http://127.0.0.1:<port>/<stage>/…`. It serves the
 * deployments of stages and nothing else, and refuses at provisioning what it does not simulate.
 */
export class ApiGateway implements LocalService {
  readonly handlers: Readonly<Record<string, CreateHandler>>;

  readonly #context: ServiceContext;
  readonly #limits: TimeLimits | undefined;
  readonly #definitions: Definitions;
  readonly #deploymentFiles: Deployments;
  readonly #dependencies: Dependencies;
  readonly #deployments = new Map<string, Deployment>();
  readonly #stages = new Map<string, Served>();
  #server: Promise<{ readonly port: number; close(): Promise<void> }> | undefined;

  /** @param limits time limits for clients, @default those of `cli/http.ts` */
  constructor(context: ServiceContext, services: GatewayServices, limits?: TimeLimits) {
    this.#context = context;
    this.#limits = limits;
    this.#definitions = new Definitions(context, services.userPools);
    this.#deploymentFiles = new Deployments(join(context.directory, "gateway"));
    this.#dependencies = {
      s3: services.s3,
      roles: services.roles,
      authorizers: new CognitoAuthorizers(services.userPools),
      report: (line) => context.info(`API Gateway: ${line}`),
    };
    this.handlers = {
      ...this.#definitions.handlers,
      "aws:apigateway/account:Account": (resource) => this.#makeAccount(resource),
      "aws:apigateway/deployment:Deployment": (resource) => this.#makeDeployment(resource),
      "aws:apigateway/stage:Stage": (resource) => this.#makeStage(resource),
      "aws:apigateway/methodSettings:MethodSettings": (resource) => this.#makeMethodSettings(resource),
    };
  }

  async close(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    await (await server?.catch(() => undefined))?.close();
  }

  #makeAccount(resource: ResourceRegistration): CreateResult {
    assertSupportedInputs(resource, { simulated: ["cloudwatchRoleArn"] }, this.#context.region);
    const { cloudwatchRoleArn: role } = resource.inputs;
    if (role !== undefined && !this.#dependencies.roles.assumableBy(String(role), "apigateway.amazonaws.com")) {
      refuse(
        resource,
        `BadRequestException: API Gateway cannot assume the role ${role}; its trust policy must name apigateway.amazonaws.com`,
      );
    }
    return { id: `account-${this.#context.accountId}`, outputs: {} };
  }

  #makeDeployment(resource: ResourceRegistration): CreateResult {
    assertSupportedInputs(
      resource,
      { simulated: ["restApi", "triggers"], recorded: ["description"] },
      this.#context.region,
    );
    const api = this.#definitions.apiOf(resource);
    const methods = Object.values(api.resources).flatMap(({ path, methods }) =>
      Object.entries(methods).map(([verb, method]) => ({ route: `${verb} ${path}`, method })),
    );
    if (methods.length === 0) {
      refuse(
        resource,
        "BadRequestException: The REST API doesn't contain any methods; the deployment must depend on them",
      );
    }
    const unfinished = methods.find(({ method }) => !method.integration);
    if (unfinished) {
      refuse(
        resource,
        `BadRequestException: No integration defined for method ${unfinished.route}; the deployment must depend on it`,
      );
    }
    const deployment = this.#deploymentFiles.deploy(resource.name, api, resource.inputs.triggers);
    this.#deployments.set(deployment.id, deployment);
    return { id: deployment.id, outputs: { createdDate: deployment.createdDate } };
  }

  async #makeStage(resource: ResourceRegistration): Promise<CreateResult> {
    assertSupportedInputs(
      resource,
      {
        simulated: ["restApi", "deployment", "stageName"],
        recorded: ["accessLogSettings", "description", "documentationVersion", "tags", "xrayTracingEnabled"],
        only: { cacheClusterEnabled: [false] },
      },
      this.#context.region,
    );
    const api = this.#definitions.apiOf(resource);
    const stage = required(resource, "stageName");
    if (!/^\w[\w-]{0,127}$/.test(stage)) {
      refuse(resource, `stageName is ${JSON.stringify(stage)}; allowed: up to 128 letters, digits, _ and -`);
    }
    const deployment = this.#deployments.get(required(resource, "deployment"));
    if (deployment?.api.id !== api.id) {
      refuse(resource, "BadRequestException: Invalid deployment id specified");
    }
    // On AWS each API has a host of its own; here they share one.
    if (this.#stages.has(stage)) refuse(resource, `the stage ${stage} exists already; the names of stages must differ`);
    this.#stages.set(stage, { stage, api: deployment.api, router: routerOf(Object.values(deployment.api.resources)) });
    const { port } = await this.#serve();
    const { region, accountId } = this.#context;
    return {
      id: `ags-${api.id}-${stage}`,
      outputs: {
        invokeUrl: `http://127.0.0.1:${port}/${stage}`,
        arn: `arn:aws:apigateway:${region}::/restapis/${api.id}/stages/${stage}`,
        executionArn: `arn:aws:execute-api:${region}:${accountId}:${api.id}/${stage}`,
      },
    };
  }

  /** Settings of logs, metrics and throttling have no effect here; the cache is refused because it changes answers. */
  #makeMethodSettings(resource: ResourceRegistration): CreateResult {
    const { region } = this.#context;
    assertSupportedInputs(resource, { simulated: ["restApi", "stageName", "methodPath", "settings"] }, region);
    const api = this.#definitions.apiOf(resource);
    const stage = required(resource, "stageName");
    if (this.#stages.get(stage)?.api.id !== api.id) {
      refuse(resource, "NotFoundException: Invalid stage identifier specified");
    }
    const recorded = [
      "dataTraceEnabled",
      "loggingLevel",
      "metricsEnabled",
      "throttlingBurstLimit",
      "throttlingRateLimit",
    ];
    const settings = (resource.inputs.settings ?? {}) as Record<string, unknown>;
    assertSupportedInputs(
      { ...resource, inputs: settings },
      { simulated: [], recorded, only: { cachingEnabled: [false] } },
      region,
    );
    return { id: `${api.id}-${stage}-${required(resource, "methodPath")}`, outputs: {} };
  }

  #serve() {
    this.#server ??= this.#context.port("api").then((port) =>
      serve({
        port,
        use: "api",
        limits: this.#limits,
        maxHeaderSize: headerLimit,
        answer: (request) => this.#answer(request),
        failed: (error) => {
          this.#dependencies.report(`a request failed: ${error instanceof Error ? error.message : String(error)}`);
          return plain(500, "InternalServerErrorException", "Internal server error", randomUUID());
        },
      }),
    );
    return this.#server;
  }

  async #answer(request: IncomingMessage): Promise<Answer> {
    const requestId = randomUUID();
    const parts = partsOf(request.url ?? "");
    if (!parts) return plain(400, "BadRequestException", "Bad Request", requestId);
    const [stage = "", ...rest] = parts;
    const served = this.#stages.get(stage);
    if (!served) return plain(403, "ForbiddenException", "Forbidden", requestId);
    const answer = await answerRequest(served, this.#dependencies, request, rest, requestId);
    return { ...answer, headers: { ...identification(requestId), ...answer.headers } };
  }
}

/** The parts of a path, still percent-encoded; undefined if the encoding of one of them is invalid. */
function partsOf(target: string): string[] | undefined {
  const path = target.replace(/^https?:\/\/[^/?]*/i, "").split("?")[0]!;
  const parts = path.split("/").slice(1);
  try {
    parts.forEach(decodeURIComponent);
    return parts;
  } catch {
    return undefined;
  }
}

/** An error of the gateway that belongs to no API. */
function plain(status: number, error: string, message: string, requestId: string): Answer {
  const headers = { ...identification(requestId), "content-type": "application/json", "x-amzn-errortype": error };
  return { status, headers, body: Buffer.from(JSON.stringify({ message })) };
}

function identification(requestId: string): Record<string, string> {
  return { "x-amzn-requestid": requestId, "x-amz-apigw-id": randomBytes(11).toString("base64") };
}
