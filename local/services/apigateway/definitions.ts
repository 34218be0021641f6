import type { CreateHandler, CreateResult, ResourceRegistration } from "../../../host/resources";
import { required, stringMap, strings } from "../../lib/inputs";
import type { ServiceContext } from "../../lib/service";
import { assertSupportedInputs, refuse, type Support } from "../../lib/supportedInputs";
import { shortHash } from "../aws/names";
import type { UserPools } from "./authorizers";
import { responseTypes, unknownInTemplate } from "./gatewayErrors";
import { overlap, readIntegration, readIntegrationResponse } from "./integrationInputs";
import { isExpression } from "./mapping";
import type { Api, ApiResource, Method } from "./model";

/** API Gateway's own messages, so that people can search for them. */
const notFound = (what: string) => `NotFoundException: Invalid ${what} identifier specified`;

/**
 * The APIs that the program has registered so far. They are not served: a deployment takes a copy. Each handler refuses
 * what API Gateway would refuse at that moment, so the order of registration matters as on AWS.
 */
export class Definitions {
  readonly handlers: Readonly<Record<string, CreateHandler>> = {
    "aws:apigateway/restApi:RestApi": (resource) => this.#makeApi(resource),
    "aws:apigateway/resource:Resource": (resource) => this.#makeResource(resource),
    "aws:apigateway/authorizer:Authorizer": (resource) => this.#makeAuthorizer(resource),
    "aws:apigateway/requestValidator:RequestValidator": (resource) => this.#makeValidator(resource),
    "aws:apigateway/method:Method": (resource) => this.#makeMethod(resource),
    "aws:apigateway/methodResponse:MethodResponse": (resource) => this.#makeMethodResponse(resource),
    "aws:apigateway/integration:Integration": (resource) => this.#makeIntegration(resource),
    "aws:apigateway/integrationResponse:IntegrationResponse": (resource) => this.#makeIntegrationResponse(resource),
    "aws:apigateway/response:Response": (resource) => this.#makeGatewayResponse(resource),
  };

  readonly #context: Pick<ServiceContext, "region" | "accountId">;
  readonly #userPools: UserPools;
  readonly #apis = new Map<string, Api>();

  constructor(context: Pick<ServiceContext, "region" | "accountId">, userPools: UserPools) {
    this.#context = context;
    this.#userPools = userPools;
  }

  /** The API that a resource belongs to. */
  apiOf(resource: ResourceRegistration, input = "restApi"): Api {
    return this.#apis.get(required(resource, input)) ?? refuse(resource, notFound("API"));
  }

  #assertSupported(resource: ResourceRegistration, support: Support): void {
    assertSupportedInputs(resource, support, this.#context.region);
  }

  #makeApi(resource: ResourceRegistration): CreateResult {
    this.#assertSupported(resource, {
      simulated: ["name", "binaryMediaTypes", "endpointConfiguration"],
      recorded: ["description", "failOnWarnings", "putRestApiMode", "tags"],
      only: { apiKeySource: ["HEADER"], disableExecuteApiEndpoint: [false] },
    });
    const endpoint = (resource.inputs.endpointConfiguration ?? { types: "EDGE" }) as Record<string, unknown>;
    this.#assertSupported(
      { ...resource, inputs: endpoint },
      { simulated: [], only: { types: ["REGIONAL", "EDGE"], ipAddressType: ["ipv4", "dualstack"] } },
    );
    const id = shortHash(`api ${resource.name}`, 10);
    const name = typeof resource.inputs.name === "string" ? resource.inputs.name : `${resource.name}-${id.slice(0, 7)}`;
    const rootResourceId = shortHash(`root ${id}`, 10);
    const binaryMediaTypes = strings(resource, "binaryMediaTypes");
    const root: ApiResource = { id: rootResourceId, pathPart: "", path: "/", methods: {} };
    this.#apis.set(id, {
      id,
      name,
      rootResourceId,
      binaryMediaTypes,
      resources: { [rootResourceId]: root },
      authorizers: {},
      validators: {},
      gatewayResponses: {},
    });
    const { region, accountId } = this.#context;
    return {
      id,
      outputs: {
        name,
        rootResourceId,
        arn: `arn:aws:apigateway:${region}::/restapis/${id}`,
        executionArn: `arn:aws:execute-api:${region}:${accountId}:${id}`,
      },
    };
  }

  #makeResource(resource: ResourceRegistration): CreateResult {
    this.#assertSupported(resource, { simulated: ["restApi", "parentId", "pathPart"] });
    const api = this.apiOf(resource);
    const parent = api.resources[required(resource, "parentId")] ?? refuse(resource, notFound("Resource"));
    const pathPart = required(resource, "pathPart");
    checkPathPart(resource, api, parent, pathPart);
    const path = `${parent.path === "/" ? "" : parent.path}/${pathPart}`;
    const id = shortHash(`${api.id} ${path}`, 6);
    api.resources[id] = { id, parentId: parent.id, pathPart, path, methods: {} };
    return { id, outputs: { path } };
  }

  #makeAuthorizer(resource: ResourceRegistration): CreateResult {
    this.#assertSupported(resource, {
      simulated: ["restApi", "name", "identitySource", "providerArns"],
      // Results are not cached: a cache would only change the speed.
      recorded: ["authorizerResultTtlInSeconds"],
      only: { type: ["COGNITO_USER_POOLS"] },
    });
    const api = this.apiOf(resource);
    if (resource.inputs.type === undefined) {
      refuse(resource, "its type is TOKEN, which is not simulated on this machine; allowed: COGNITO_USER_POOLS");
    }
    const providerArns = strings(resource, "providerArns");
    if (providerArns.length === 0) refuse(resource, "BadRequestException: Invalid Authorizer: providerArns is empty");
    const unknown = providerArns.find((arn) => this.#userPools(arn) === undefined);
    if (unknown !== undefined) {
      refuse(resource, `BadRequestException: Invalid Cognito User Pool ARN: there is no user pool ${unknown}`);
    }
    const source = resource.inputs.identitySource ?? "method.request.header.Authorization";
    const header = /^method\.request\.header\.([\w-]+)$/.exec(String(source))?.[1]?.toLowerCase();
    if (header === undefined) {
      refuse(resource, `identitySource is ${JSON.stringify(source)}; allowed: method.request.header.NAME`);
    }
    const name = required(resource, "name");
    const id = shortHash(`${api.id} authorizer ${name}`, 6);
    api.authorizers[id] = { id, name, header, providerArns };
    const arn = `arn:aws:apigateway:${this.#context.region}::/restapis/${api.id}/authorizers/${id}`;
    return { id, outputs: { arn, identitySource: source } };
  }

  #makeValidator(resource: ResourceRegistration): CreateResult {
    this.#assertSupported(resource, {
      simulated: ["restApi", "name", "validateRequestParameters"],
      only: { validateRequestBody: [false] },
    });
    const api = this.apiOf(resource);
    const id = shortHash(`${api.id} validator ${resource.name}`, 6);
    api.validators[id] = { parameters: resource.inputs.validateRequestParameters === true };
    return { id, outputs: { name: resource.inputs.name ?? resource.name } };
  }

  #makeMethod(resource: ResourceRegistration): CreateResult {
    this.#assertSupported(resource, {
      simulated: [
        ...["restApi", "resourceId", "httpMethod", "authorizerId", "authorizationScopes", "requestParameters"],
        "requestValidatorId",
      ],
      // Only validators of bodies use models, and these are refused.
      recorded: ["operationName", "requestModels"],
      only: { authorization: ["NONE", "COGNITO_USER_POOLS"], apiKeyRequired: [false] },
    });
    const api = this.apiOf(resource);
    const target = api.resources[required(resource, "resourceId")] ?? refuse(resource, notFound("Resource"));
    const verb = required(resource, "httpMethod");
    if (!/^(ANY|DELETE|GET|HEAD|OPTIONS|PATCH|POST|PUT)$/.test(verb)) {
      refuse(resource, `BadRequestException: Invalid HttpMethod specified: ${JSON.stringify(verb)}`);
    }
    if (target.methods[verb]) refuse(resource, "ConflictException: Method already exists for this resource");
    const parameters = (resource.inputs.requestParameters ?? {}) as Record<string, boolean>;
    const wrong = Object.keys(parameters).find((key) => !isExpression(key, "path", "querystring", "header"));
    if (wrong !== undefined) refuse(resource, `BadRequestException: Invalid mapping expression specified: ${wrong}`);
    const validator = resource.inputs.requestValidatorId as string | undefined;
    if (validator && !api.validators[validator]) refuse(resource, notFound("Request Validator"));
    target.methods[verb] = {
      ...authorizationOf(resource, api),
      requestParameters: parameters,
      requestValidatorId: validator,
      responses: {},
    };
    return { id: `agm-${api.id}-${target.id}-${verb}`, outputs: {} };
  }

  #makeMethodResponse(resource: ResourceRegistration): CreateResult {
    this.#assertSupported(resource, {
      simulated: ["restApi", "resourceId", "httpMethod", "statusCode", "responseParameters"],
      recorded: ["responseModels"],
    });
    const { method, key } = this.#methodOf(resource);
    const status = statusOf(resource);
    const headers = Object.keys((resource.inputs.responseParameters ?? {}) as object);
    const wrong = headers.find((header) => !/^method\.response\.header\.[\w-]+$/.test(header));
    if (wrong !== undefined) refuse(resource, `BadRequestException: Invalid mapping expression specified: ${wrong}`);
    if (method.responses[status]) refuse(resource, "ConflictException: Response already exists for this resource");
    method.responses[status] = headers;
    return { id: `agmr-${key}-${status}`, outputs: {} };
  }

  #makeIntegration(resource: ResourceRegistration): CreateResult {
    const { method, key } = this.#methodOf(resource);
    method.integration = readIntegration(resource, method, this.#context);
    const { passthroughBehavior, timeout } = method.integration;
    return { id: `agi-${key}`, outputs: { passthroughBehavior, timeoutMilliseconds: timeout } };
  }

  #makeIntegrationResponse(resource: ResourceRegistration): CreateResult {
    const { method, key } = this.#methodOf(resource);
    const status = statusOf(resource);
    if (!method.integration) refuse(resource, notFound("Integration"));
    const response = readIntegrationResponse(resource, method, status, this.#context.region);
    const conflicting = Object.entries(method.integration.responses).find(([, one]) => overlap(one, response));
    if (conflicting) {
      const both = [conflicting[1], response].map((one) => one.selectionPattern ?? "the default").join(" and ");
      const why = "API Gateway does not document which of the two counts; make them differ";
      refuse(resource, `its selectionPattern and that of ${conflicting[0]} select the same statuses (${both}): ${why}`);
    }
    method.integration.responses[status] = response;
    return { id: `agir-${key}-${status}`, outputs: {} };
  }

  #makeGatewayResponse(resource: ResourceRegistration): CreateResult {
    this.#assertSupported(resource, {
      simulated: ["restApiId", "statusCode", "responseParameters", "responseTemplates"],
      only: { responseType: responseTypes },
    });
    const api = this.apiOf(resource, "restApiId");
    const type = required(resource, "responseType");
    const responseParameters = stringMap(resource, "responseParameters");
    for (const [target, expression] of Object.entries(responseParameters)) {
      const known = isExpression(expression, "static", "context", "path", "querystring", "header");
      if (!/^gatewayresponse\.header\.[\w-]+$/.test(target) || !known) {
        refuse(resource, `BadRequestException: Invalid mapping expression specified: ${target} = ${expression}`);
      }
    }
    const responseTemplates = stringMap(resource, "responseTemplates");
    for (const template of Object.values(responseTemplates)) {
      const unknown = unknownInTemplate(template);
      if (unknown !== undefined)
        refuse(resource, `its template uses ${unknown}, which is not simulated on this machine`);
    }
    const statusCode = resource.inputs.statusCode === undefined ? undefined : Number(statusOf(resource));
    api.gatewayResponses[type] = { statusCode, responseParameters, responseTemplates };
    return { id: `aggr-${api.id}-${type}`, outputs: {} };
  }

  #methodOf(resource: ResourceRegistration): { method: Method; key: string } {
    const api = this.apiOf(resource);
    const target = api.resources[required(resource, "resourceId")] ?? refuse(resource, notFound("Resource"));
    const verb = required(resource, "httpMethod");
    const method = target.methods[verb] ?? refuse(resource, notFound("Method"));
    return { method, key: `${api.id}-${target.id}-${verb}` };
  }
}

function authorizationOf(
  resource: ResourceRegistration,
  api: Api,
): Pick<Method, "authorizerId" | "authorizationScopes"> {
  const { authorization, authorizerId } = resource.inputs;
  const authorizationScopes = strings(resource, "authorizationScopes");
  if (authorization === undefined) refuse(resource, "authorization is missing; allowed: NONE, COGNITO_USER_POOLS");
  if (authorization === "NONE") {
    if (authorizationScopes.length > 0) {
      refuse(resource, "BadRequestException: authorizationScopes need the authorization COGNITO_USER_POOLS");
    }
    return { authorizationScopes };
  }
  if (typeof authorizerId !== "string" || !api.authorizers[authorizerId]) {
    const why = "Setting the authorization type to CUSTOM or COGNITO_USER_POOLS requires a valid authorizer";
    refuse(resource, `BadRequestException: Invalid authorizer ID specified. ${why}`);
  }
  return { authorizerId, authorizationScopes };
}

const isVariable = (part: string) => part.startsWith("{");
const isGreedy = (part: string) => part.endsWith("+}");

function checkPathPart(resource: ResourceRegistration, api: Api, parent: ApiResource, pathPart: string): void {
  if (!/^(?:[\w.:-]+|\{[\w.:-]+\+?\})$/.test(pathPart)) {
    refuse(
      resource,
      "BadRequestException: Resource's path part only allow a-zA-Z0-9._-: or a valid greedy path variable and curly " +
        `braces at the beginning and the end; got ${JSON.stringify(pathPart)}`,
    );
  }
  if (isGreedy(parent.pathPart)) {
    refuse(resource, `BadRequestException: Cannot create a child of a greedy path variable: ${parent.path}`);
  }
  const siblings = Object.values(api.resources).filter((one) => one.parentId === parent.id);
  if (siblings.some((one) => one.pathPart === pathPart)) {
    refuse(resource, `ConflictException: Another resource with the same parent already has this name: ${pathPart}`);
  }
  const other = siblings.find((one) => isVariable(one.pathPart) && isGreedy(one.pathPart) === isGreedy(pathPart));
  if (isVariable(pathPart) && other) {
    const why = "already has a variable path part -- only one unique variable path part is allowed";
    refuse(resource, `BadRequestException: A sibling (${other.pathPart}) of this resource ${why}`);
  }
}

function statusOf(resource: ResourceRegistration): string {
  const status = String(resource.inputs.statusCode);
  if (!/^[1-5]\d\d$/.test(status)) {
    refuse(
      resource,
      `statusCode is ${JSON.stringify(resource.inputs.statusCode) ?? "missing"}; allowed: "100" to "599"`,
    );
  }
  return status;
}
