import { Readable } from "node:stream";
import type { S3Caller } from "../s3/access";
import type { S3 } from "../s3/operations";
import type { Answer } from "../s3/serve";
import { GatewayError } from "./gatewayErrors";
import { type Values, valueFor } from "./mapping";
import type { Integration, S3Target } from "./model";
import { mediaTypeOf } from "./payload";

/** What integrations need of the rest of this machine. */
export interface Backends {
  readonly s3: S3;
  /** `Iam` of `local/iam` is one. */
  readonly roles: { assumableBy(roleArn: string, service: string): boolean };
}

/** A request's payload on its way to the integration. */
export interface Payload {
  readonly chunks: AsyncIterable<Uint8Array>;
  /** Resolves when the client has sent everything, from when on the integration's time counts. */
  readonly sent: Promise<void>;
}

/**
 * The template for a request's media type; undefined where the payload passes through.
 * @throws GatewayError 415
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/integration-passthrough-behaviors.html
 */
export function templateFor(integration: Integration, contentType: string | undefined): string | undefined {
  const { requestTemplates } = integration;
  const mediaType = mediaTypeOf(contentType ?? "application/json");
  if (Object.hasOwn(requestTemplates, mediaType)) return requestTemplates[mediaType];
  const none = Object.keys(requestTemplates).length === 0;
  const passes =
    integration.passthroughBehavior === "WHEN_NO_MATCH" ||
    (integration.passthroughBehavior === "WHEN_NO_TEMPLATES" && none);
  if (!passes) throw new GatewayError("UNSUPPORTED_MEDIA_TYPE");
  return undefined;
}

/** What a mock answers: the `statusCode` of its template, or of the payload where that passes through. */
export async function callMock(template: string | undefined, payload: Payload): Promise<Answer> {
  const text = template ?? (await collect(payload.chunks)).toString();
  let status: unknown;
  try {
    status = (JSON.parse(text) as { statusCode?: unknown } | null)?.statusCode;
  } catch {
    status = undefined;
  }
  if (typeof status !== "number" || !Number.isInteger(status) || status < 100 || status > 599) {
    throw new GatewayError("API_CONFIGURATION_ERROR", undefined, "the mock's request has no statusCode");
  }
  return { status, headers: {} };
}

/** Calls S3 as the integration's role, with nothing but what is mapped. @throws GatewayError */
export async function callS3(
  target: S3Target,
  integration: Integration,
  { s3, roles }: Backends,
  values: Values,
  payload: Payload,
): Promise<Answer> {
  let principal: S3Caller = { kind: "anonymous" };
  if (target.credentials !== undefined) {
    if (!roles.assumableBy(target.credentials, "apigateway.amazonaws.com")) {
      const reason = `API Gateway does not have permission to assume the role ${target.credentials}`;
      throw new GatewayError("API_CONFIGURATION_ERROR", undefined, reason);
    }
    principal = { kind: "role", arn: target.credentials };
  }
  // Split after it is filled in: a decoded slash in the bucket's parameter begins the key, as it does on AWS.
  const path = expand(target.path, integration, values);
  const slash = path.indexOf("/");
  const request = s3.request({
    method: target.method,
    bucket: path.slice(0, slash),
    key: path.slice(slash + 1),
    headers: mappedHeaders(integration, values),
    principal,
    ...(target.method === "PUT" && { body: payload.chunks }),
  });
  return withTimeout(integration.timeout, payload.sent, request);
}

/**
 * Fills the `{…}` of a path override with decoded values. `?` and `#` among them stay part of the key here; whether API
 * Gateway encodes them again, or has S3 read a query there, is not known.
 */
function expand(template: string, integration: Integration, values: Values): string {
  return template.replace(/\{([^{}]*)\}/g, (_, name: string) => {
    const expression = integration.requestParameters[`integration.request.path.${name}`];
    const value = expression === undefined ? undefined : valueFor(expression, values);
    if (value === undefined) {
      throw new GatewayError(
        "API_CONFIGURATION_ERROR",
        undefined,
        `nothing is mapped to {${name}} of the path override`,
      );
    }
    return value;
  });
}

function mappedHeaders(integration: Integration, values: Values): Record<string, string> {
  // API Gateway calls itself a sender of JSON unless told otherwise.
  const headers: Record<string, string> = { "content-type": "application/json" };
  for (const [target, expression] of Object.entries(integration.requestParameters)) {
    const name = /^integration\.request\.header\.(.+)$/.exec(target)?.[1];
    const value = valueFor(expression, values);
    if (name !== undefined && value !== undefined) headers[name.toLowerCase()] = value;
  }
  return headers;
}

/** The reply, or GatewayError 504 where it takes longer than the integration's time. A reply that comes too late is let go. */
async function withTimeout(milliseconds: number, start: Promise<void>, reply: Promise<Answer>): Promise<Answer> {
  let timer: NodeJS.Timeout | undefined;
  let over = false;
  const timeout = new Promise<never>((_, reject) => {
    void start.then(() => {
      if (over) return;
      timer = setTimeout(() => reject(new GatewayError("INTEGRATION_TIMEOUT")), milliseconds);
    });
  });
  const closeWhereLate = ({ body }: Answer) => {
    if (over && body instanceof Readable) body.destroy();
  };
  // A failure after the time is over concerns nobody any more.
  reply.then(closeWhereLate, () => {});
  try {
    return await Promise.race([reply, timeout]);
  } finally {
    over = true;
    clearTimeout(timer);
  }
}

/** All of a payload in memory. */
export async function collect(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = [];
  for await (const chunk of chunks) all.push(chunk);
  return Buffer.concat(all);
}
