import type { IncomingMessage } from "node:http";
import { Readable } from "node:stream";
import type { Answer } from "../s3/serve";
import { type Dependencies, Exchange, payloadLimit, type Served } from "./exchange";
import { GatewayError, gatewayErrorAnswer } from "./gatewayErrors";
import { convertRequest } from "./integrationRequest";
import { makeResponse } from "./integrationResponse";
import { callMock, callS3 } from "./integrations";
import { valueFor } from "./mapping";

/**
 * A step of a request.
 * @throws GatewayError to end the request with this gateway response
 */
type Step = (exchange: Exchange) => void | Promise<void>;

/** The steps of every request, in API Gateway's order. */
const steps: readonly Step[] = [
  findMethod,
  refuseLargePayload,
  authorize,
  checkParameters,
  convertRequest,
  callIntegration,
  makeResponse,
];

/**
 * Answers one request to a stage.
 * @param parts the path after the stage, split at slashes, still percent-encoded
 */
export async function answerRequest(
  served: Served,
  dependencies: Dependencies,
  request: IncomingMessage,
  parts: readonly string[],
  requestId: string,
): Promise<Answer> {
  const exchange = new Exchange(served, dependencies, request, parts, requestId);
  try {
    for (const step of steps) await step(exchange);
    return exchange.answer!;
  } catch (error) {
    if (exchange.reply?.body instanceof Readable) exchange.reply.body.destroy();
    if (!(error instanceof GatewayError)) throw error;
    if (error.reason !== undefined) dependencies.report(`${exchange.route}: ${error.reason}`);
    return gatewayErrorAnswer(error, served.api.gatewayResponses, exchange.values);
  }
}

function findMethod(exchange: Exchange): void {
  const { served, request, parts, values } = exchange;
  const match = served.router(parts);
  const method = match && (match.resource.methods[request.method ?? ""] ?? match.resource.methods.ANY);
  if (!match || !method?.integration) throw new GatewayError("MISSING_AUTHENTICATION_TOKEN");
  exchange.method = method;
  exchange.integration = method.integration;
  exchange.route = `${request.method} ${match.resource.path}`;
  exchange.values = {
    ...values,
    path: match.path,
    context: { ...values.context, resourcePath: match.resource.path },
  };
}

/** Refuses by the announced length; a payload without one is counted while it is read. */
function refuseLargePayload({ request }: Exchange): void {
  if (Number(request.headers["content-length"] ?? 0) > payloadLimit) throw new GatewayError("REQUEST_TOO_LARGE");
}

/** Adds the token's claims to the values. */
async function authorize(exchange: Exchange): Promise<void> {
  const { api, method, values, dependencies } = exchange;
  if (method.authorizerId === undefined) return;
  const authorizer = api.authorizers[method.authorizerId]!;
  const token = values.header[authorizer.header];
  const claims = await dependencies.authorizers.check(authorizer, token, method.authorizationScopes);
  const texts = Object.entries(claims).map(([name, value]) => [`authorizer.claims.${name}`, String(value)]);
  exchange.values = { ...values, context: { ...values.context, ...Object.fromEntries(texts) } };
}

/** Checks what the method's request validator requires; without a validator nothing is required. */
function checkParameters({ api, method, values }: Exchange): void {
  if (!api.validators[method.requestValidatorId ?? ""]?.parameters) return;
  const missing = Object.entries(method.requestParameters)
    .filter(([parameter, required]) => required && !valueFor(parameter, values))
    .map(([parameter]) => parameter.split(".").slice(3).join("."));
  if (missing.length > 0) {
    throw new GatewayError("BAD_REQUEST_PARAMETERS", `Missing required request parameters: [${missing.join(", ")}]`);
  }
}

async function callIntegration(exchange: Exchange): Promise<void> {
  const { integration, dependencies, values, template, payload } = exchange;
  const { target } = integration;
  exchange.reply =
    target.type === "MOCK"
      ? await callMock(template, payload)
      : await callS3(target, integration, dependencies, values, payload);
}
