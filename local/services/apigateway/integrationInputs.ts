import type { ResourceRegistration } from "../../../host/resources";
import { required, stringMap } from "../../lib/inputs";
import type { ServiceContext } from "../../lib/service";
import { assertSupportedInputs, refuse } from "../../lib/supportedInputs";
import { servedHeaders } from "../s3/operations";
import { isExpression } from "./mapping";
import type { ContentHandling, Integration, IntegrationResponse, Method, MockTarget, S3Target } from "./model";

type Where = Pick<ServiceContext, "region" | "accountId">;

const handlings = ["CONVERT_TO_BINARY", "CONVERT_TO_TEXT"];
const invalidMapping = (expression: string) =>
  "BadRequestException: Invalid mapping expression specified: Validation Result: warnings : [], errors : " +
  `[Invalid mapping expression parameter specified: ${expression}]`;

/** Reads the inputs of an `Integration`; refuses what API Gateway refuses, and what is not simulated here. */
export function readIntegration(resource: ResourceRegistration, method: Method, where: Where): Integration {
  assertSupportedInputs(
    resource,
    {
      simulated: [
        ...["restApi", "resourceId", "httpMethod", "integrationHttpMethod", "uri", "credentials"],
        ...["requestParameters", "requestTemplates", "timeoutMilliseconds"],
      ],
      // Settings of the cache, which stages may not enable here.
      recorded: ["cacheKeyParameters", "cacheNamespace"],
      only: {
        type: ["AWS", "MOCK"],
        connectionType: ["INTERNET"],
        contentHandling: handlings,
        passthroughBehavior: ["WHEN_NO_MATCH", "WHEN_NO_TEMPLATES", "NEVER"],
        responseTransferMode: ["BUFFERED"],
      },
    },
    where.region,
  );
  const target: MockTarget | S3Target =
    required(resource, "type") === "MOCK" ? { type: "MOCK" } : readS3Target(resource, where);
  const requestTemplates = stringMap(resource, "requestTemplates");
  for (const [mediaType, template] of Object.entries(requestTemplates)) {
    checkStatic(resource, `requestTemplates[${mediaType}]`, template);
    if (target.type === "S3") {
      refuse(resource, "requestTemplates of an integration with S3 are not simulated on this machine");
    }
  }
  return {
    target,
    requestParameters: readRequestParameters(resource, method, target),
    requestTemplates,
    passthroughBehavior: (resource.inputs.passthroughBehavior ?? "WHEN_NO_MATCH") as Integration["passthroughBehavior"],
    contentHandling: resource.inputs.contentHandling as ContentHandling,
    timeout: readTimeout(resource),
    responses: {},
  };
}

/** Reads the inputs of an `IntegrationResponse`. */
export function readIntegrationResponse(
  resource: ResourceRegistration,
  method: Method,
  status: string,
  region: string,
): IntegrationResponse {
  assertSupportedInputs(
    resource,
    {
      simulated: [
        ...["restApi", "resourceId", "httpMethod", "statusCode", "selectionPattern", "responseParameters"],
        "responseTemplates",
      ],
      only: { contentHandling: handlings },
    },
    region,
  );
  const declared = method.responses[status];
  if (!declared) {
    const hint = "let it depend on the MethodResponse";
    refuse(resource, `NotFoundException: Invalid Response status code specified: ${status}; ${hint}`);
  }
  const responseParameters = stringMap(resource, "responseParameters");
  for (const [target, expression] of Object.entries(responseParameters)) {
    if (!declared.includes(target)) refuse(resource, invalidMapping(target));
    if (!isExpression(expression, "static", "response", "context")) refuse(resource, invalidMapping(expression));
  }
  const responseTemplates = stringMap(resource, "responseTemplates");
  for (const [mediaType, template] of Object.entries(responseTemplates)) {
    checkStatic(resource, `responseTemplates[${mediaType}]`, template);
  }
  return {
    selectionPattern: readPattern(resource),
    responseParameters,
    responseTemplates,
    contentHandling: resource.inputs.contentHandling as ContentHandling,
  };
}

/** Whether there is a status that selects both integration responses. */
export function overlap(a: IntegrationResponse, b: IntegrationResponse): boolean {
  const [one, other] = [a.selectionPattern, b.selectionPattern];
  if (one === undefined || other === undefined) return one === other;
  const [first, second] = [selectorOf(one), selectorOf(other)];
  return Array.from({ length: 500 }, (_, i) => String(100 + i)).some(
    (status) => first.test(status) && second.test(status),
  );
}

/** Whether a selection pattern matches a whole status. */
export function selects(pattern: string, status: number): boolean {
  return selectorOf(pattern).test(String(status));
}

const selectorOf = (pattern: string) => new RegExp(`^(?:${pattern})$`);

function readS3Target(resource: ResourceRegistration, { region }: Where): S3Target {
  const method = resource.inputs.integrationHttpMethod;
  if (method === undefined) {
    refuse(resource, "BadRequestException: Enumeration value for HttpMethod must be non-empty");
  }
  if (method !== "GET" && method !== "HEAD" && method !== "PUT") {
    refuse(resource, `integrationHttpMethod is ${JSON.stringify(method)}; simulated on this machine: GET, HEAD, PUT`);
  }
  const uri = required(resource, "uri");
  const [, inRegion, path] = /^arn:aws:apigateway:([\w-]+):s3:path\/([^/]+\/.+)$/.exec(uri) ?? [];
  if (inRegion === undefined || path === undefined) {
    refuse(resource, `uri is ${uri}; simulated: arn:aws:apigateway:${region}:s3:path/{bucket}/{key}`);
  }
  if (inRegion !== region) refuse(resource, `its uri names the region ${inRegion}; the buckets are in ${region}`);
  const { credentials } = resource.inputs;
  if (credentials !== undefined && !/^arn:aws:iam::\d{12}:role\/.+$/.test(String(credentials))) {
    refuse(resource, `credentials is ${JSON.stringify(credentials)}; simulated: the ARN of a role`);
  }
  return { type: "S3", method, path, credentials: credentials as string | undefined };
}

function readRequestParameters(
  resource: ResourceRegistration,
  method: Method,
  target: MockTarget | S3Target,
): Record<string, string> {
  const parameters = stringMap(resource, "requestParameters");
  for (const [name, expression] of Object.entries(parameters)) {
    const [, place, what] = /^integration\.request\.(path|querystring|header)\.(.+)$/.exec(name) ?? [];
    if (place === undefined || what === undefined) refuse(resource, invalidMapping(name));
    if (!isExpression(expression, "static", "context", "path", "querystring", "header")) {
      refuse(resource, invalidMapping(expression));
    }
    if (expression.startsWith("method.") && !(expression in method.requestParameters)) {
      refuse(resource, `${invalidMapping(expression)}; declare it in the method's requestParameters`);
    }
    if (target.type === "S3" && place !== "path" && !reachesS3(place, what, target.method)) {
      refuse(resource, `${name} has no meaning in the object store of this machine`);
    }
  }
  return parameters;
}

function reachesS3(place: string, name: string, method: S3Target["method"]): boolean {
  const lower = name.toLowerCase();
  const served = method === "PUT" ? servedHeaders.PUT : servedHeaders.GET;
  return place === "header" && (lower === "accept" || lower.startsWith("x-amz-meta-") || served.includes(lower));
}

/** A template must be the same for every request: VTL is not simulated. */
function checkStatic(resource: ResourceRegistration, where: string, template: string): void {
  if (/[$#]/.test(template)) {
    refuse(
      resource,
      `${where} uses the template language, which is not simulated on this machine; allowed: plain text`,
    );
  }
}

function readTimeout(resource: ResourceRegistration): number {
  const timeout = resource.inputs.timeoutMilliseconds ?? 29_000;
  if (typeof timeout !== "number" || timeout < 50 || timeout > 29_000) {
    const allowed = "Timeout should be between 50 ms and 29000 ms";
    refuse(resource, `BadRequestException: ${allowed}; timeoutMilliseconds is ${JSON.stringify(timeout)}`);
  }
  return timeout;
}

function readPattern(resource: ResourceRegistration): string | undefined {
  const pattern = resource.inputs.selectionPattern;
  if (pattern === undefined || pattern === "") return undefined;
  try {
    new RegExp(`^(?:${pattern})$`);
    return String(pattern);
  } catch (error) {
    refuse(resource, `selectionPattern is not a regular expression: ${(error as Error).message}`);
  }
}
