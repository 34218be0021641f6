import type { IncomingMessage } from "node:http";
import { Readable } from "node:stream";
import { type Answer, bodyOf, headersOf } from "../s3/serve";
import type { Claims, CognitoAuthorizers } from "./authorizers";
import { GatewayError, gatewayErrorAnswer } from "./gatewayErrors";
import { selects } from "./integrationInputs";
import { type Backends, callMock, callS3, collect, type Payload, templateFor } from "./integrations";
import { type Values, valueFor } from "./mapping";
import type { Api, Integration, IntegrationResponse, Method } from "./model";
import { type Conversion, convert, isText, NotBase64, requestConversion, responseConversion } from "./payload";
import type { Match, Router } from "./routes";

/** The largest payload, in bytes, in both directions. */
const payloadLimit = 10 * 1024 * 1024;

/** A deployment as it is served. */
export interface Served {
  readonly stage: string;
  readonly api: Api;
  readonly router: Router;
}

/** What answering takes beside the deployment. */
export interface Dependencies extends Backends {
  readonly authorizers: CognitoAuthorizers;
  /** Told why a request failed for reasons that lie in the API's configuration. */
  report(line: string): void;
}

/** A request as mapping expressions see it, beside what came over the wire. */
interface Call {
  readonly request: IncomingMessage;
  readonly method: Method;
  readonly integration: Integration;
  readonly values: Values;
}

/**
 * Answers one request to a stage, in API Gateway's order: route, size, authorizer, parameters, integration, response.
 * @param parts the path behind the stage, its parts still percent-encoded
 */
export async function answerRequest(
  served: Served,
  around: Dependencies,
  request: IncomingMessage,
  parts: readonly string[],
  requestId: string,
): Promise<Answer> {
  const { api } = served;
  const path = (request.url ?? "").split("?")[0]!;
  let values: Values = {
    path: {},
    querystring: queryOf(request),
    header: headersOf(request),
    context: {
      apiId: api.id,
      httpMethod: request.method ?? "",
      "identity.sourceIp": request.socket.remoteAddress ?? "",
      "identity.userAgent": request.headers["user-agent"] ?? "",
      path,
      requestId,
      stage: served.stage,
    },
  };
  let route = "unknown route";
  try {
    const match = served.router(parts);
    const method = match && (match.resource.methods[request.method ?? ""] ?? match.resource.methods.ANY);
    if (!match || !method?.integration) throw new GatewayError("MISSING_AUTHENTICATION_TOKEN");
    route = `${request.method} ${match.resource.path}`;
    values = withMatch(values, match);
    if (Number(request.headers["content-length"] ?? 0) > payloadLimit) throw new GatewayError("REQUEST_TOO_LARGE");
    values = withClaims(values, await authorize(api, method, around.authorizers, values));
    checkParameters(api, method, values);
    return await integrate({ request, method, integration: method.integration, values }, api, around);
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    if (error.reason !== undefined) around.report(`${route}: ${error.reason}`);
    return gatewayErrorAnswer(error, api.gatewayResponses, values);
  }
}

function withMatch(values: Values, match: Match): Values {
  return { ...values, path: match.path, context: { ...values.context, resourcePath: match.resource.path } };
}

function withClaims(values: Values, claims: Claims): Values {
  const texts = Object.entries(claims).map(([name, value]) => [`authorizer.claims.${name}`, String(value)]);
  return { ...values, context: { ...values.context, ...Object.fromEntries(texts) } };
}

async function authorize(api: Api, method: Method, authorizers: CognitoAuthorizers, values: Values): Promise<Claims> {
  if (method.authorizerId === undefined) return {};
  const authorizer = api.authorizers[method.authorizerId]!;
  return authorizers.check(authorizer, values.header[authorizer.header], method.authorizationScopes);
}

/** What the method's request validator asks for; without one nothing is required. */
function checkParameters(api: Api, method: Method, values: Values): void {
  if (!api.validators[method.requestValidatorId ?? ""]?.parameters) return;
  const missing = Object.entries(method.requestParameters)
    .filter(([parameter, required]) => required && !valueFor(parameter, values))
    .map(([parameter]) => parameter.split(".").slice(3).join("."));
  if (missing.length > 0) {
    throw new GatewayError("BAD_REQUEST_PARAMETERS", `Missing required request parameters: [${missing.join(", ")}]`);
  }
}

async function integrate(call: Call, api: Api, around: Dependencies): Promise<Answer> {
  const { integration, values, request } = call;
  const { target } = integration;
  const contentType = values.header["content-type"];
  const template = templateFor(integration, contentType);
  const conversion = requestConversion(contentType, api.binaryMediaTypes, integration.contentHandling);
  if (template !== undefined && !isText(conversion)) {
    // AWS's own words; it does so also where there is no payload, as in a browser's preflight.
    throw new GatewayError(
      "API_CONFIGURATION_ERROR",
      undefined,
      "Unable to transform request: a template needs text, and the payload is binary; " +
        "set contentHandling CONVERT_TO_TEXT on the integration",
    );
  }
  const payload = payloadOf(request, conversion);
  const reply =
    target.type === "MOCK"
      ? await callMock(template, payload)
      : await callS3(target, integration, around, values, payload);
  try {
    return await respond(call, api, reply);
  } catch (error) {
    if (reply.body instanceof Readable) reply.body.destroy();
    throw error;
  }
}

/** The payload as the integration is to have it, never more than the limit. */
function payloadOf(request: IncomingMessage, conversion: Conversion): Payload {
  const hasBody = request.headers["content-length"] !== undefined || request.headers["transfer-encoding"] !== undefined;
  let sent = () => {};
  const whenSent = new Promise<void>((resolve) => {
    sent = resolve;
  });
  if (!hasBody || Number(request.headers["content-length"]) === 0) sent();
  async function* limited() {
    let size = 0;
    for await (const chunk of bodyOf(request)) {
      size += chunk.length;
      if (size > payloadLimit) throw new GatewayError("REQUEST_TOO_LARGE");
      yield chunk;
    }
    sent();
  }
  async function* converted() {
    yield converting(await collect(limited()), conversion);
  }
  return { chunks: conversion === "pass" ? limited() : converted(), sent: whenSent };
}

function converting(payload: Buffer, conversion: Conversion): Buffer {
  try {
    return convert(payload, conversion);
  } catch (error) {
    if (!(error instanceof NotBase64)) throw error;
    throw new GatewayError("API_CONFIGURATION_ERROR", undefined, "a payload to be converted to binary is not Base64");
  }
}

/** Makes the method response out of the integration's. */
async function respond(call: Call, api: Api, reply: Answer): Promise<Answer> {
  const [status, response] = select(call.integration, reply.status);
  if (Number(reply.headers["content-length"] ?? 0) > payloadLimit) {
    throw new GatewayError(
      "API_CONFIGURATION_ERROR",
      undefined,
      `the integration's response is larger than ${payloadLimit} bytes`,
    );
  }
  const values = { ...call.values, response: reply.headers };
  const headers: Record<string, string> = { "content-type": "application/json" };
  const [type, template] = Object.entries(response.responseTemplates)[0] ?? [];
  if (type !== undefined) headers["content-type"] = type;
  for (const [target, expression] of Object.entries(response.responseParameters)) {
    const value = valueFor(expression, values);
    if (value !== undefined) headers[target.replace("method.response.header.", "").toLowerCase()] = value;
  }
  const media = { contentType: reply.headers["content-type"], accept: call.values.header.accept };
  const conversion = responseConversion(media, api.binaryMediaTypes, response.contentHandling);
  const { body } = reply;
  if (template !== undefined) {
    if (body !== undefined && !isText(conversion)) {
      throw new GatewayError(
        "API_CONFIGURATION_ERROR",
        undefined,
        "a response template needs text, and the payload is binary",
      );
    }
    if (body instanceof Readable) body.destroy();
    return whole(status, headers, Buffer.from(template));
  }
  if (body instanceof Readable && conversion === "pass") {
    return { status, headers: { ...headers, "content-length": reply.headers["content-length"]! }, body };
  }
  const bytes = body instanceof Readable ? await collect(body) : (body ?? Buffer.alloc(0));
  return whole(status, headers, converting(bytes, conversion));
}

function whole(status: number, headers: Record<string, string>, body: Buffer): Answer {
  return { status, headers: { ...headers, "content-length": String(body.length) }, body };
}

/** The integration response whose pattern matches the whole status, else the default one. */
function select(integration: Integration, status: number): [number, IntegrationResponse] {
  const all = Object.entries(integration.responses);
  const matching = all.find(([, { selectionPattern: pattern }]) => pattern !== undefined && selects(pattern, status));
  const chosen = matching ?? all.find(([, { selectionPattern }]) => selectionPattern === undefined);
  if (chosen) return [Number(chosen[0]), chosen[1]];
  const reason = `no integration response matches the status ${status}, and there is no default`;
  throw new GatewayError("API_CONFIGURATION_ERROR", undefined, reason);
}

/** Of several values of one name the last counts. */
function queryOf(request: IncomingMessage): Record<string, string> {
  const url = request.url ?? "";
  const mark = url.indexOf("?");
  return mark < 0 ? {} : Object.fromEntries(new URLSearchParams(url.slice(mark + 1)));
}
