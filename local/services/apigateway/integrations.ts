import { Readable } from "node:stream";
import type { S3Caller } from "../s3/access";
import type { S3 } from "../s3/operations";
import type { Answer } from "../s3/serve";
import { GatewayError } from "./gatewayErrors";
import { type Values, valueFor } from "./mapping";
import type { Integration, S3Target } from "./model";
import { mediaTypeOf } from "./payloadConversion";

/** The services that integrations use. */
export interface Backends {
  readonly s3: S3;
  /** Implemented by `Iam` (`local/services/iam/iam.ts`). */
  readonly roles: { assumableBy(roleArn: string, service: string): boolean };
}

/** A request's payload on its way to the integration. */
export interface Payload {
  readonly chunks: AsyncIterable<Uint8Array>;
  /** Resolves when the client has sent everything; then the integration's timeout begins. */
  readonly sent: Promise<void>;
}

/**
 * The template for a request's media type; undefined if the payload passes through.
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

/** The answer of a mock: the `statusCode` of its template, or of the payload if that passes through. */
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

/** Calls S3 as the integration's role, with the mapped headers only. @throws GatewayError */
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
  // The path is split after it is filled in: a decoded slash in the bucket's parameter begins the key, as on AWS.
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
 * Fills the `{…}` of a path override with decoded values. `?` and `#` in them stay part of the key here; it is not
 * known whether API Gateway encodes them again, or whether S3 reads a query there.
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
  // API Gateway sends this Content-Type if no other is mapped.
  const headers: Record<string, string> = { "content-type": "application/json" };
  for (const [target, expression] of Object.entries(integration.requestParameters)) {
    const name = /^integration\.request\.header\.(.+)$/.exec(target)?.[1];
    const value = valueFor(expression, values);
    if (name !== undefined && value !== undefined) headers[name.toLowerCase()] = value;
  }
  return headers;
}

/** The reply, or GatewayError 504 if it takes longer than the integration's timeout. */
async function withTimeout(milliseconds: number, start: Promise<void>, reply: Promise<Answer>): Promise<Answer> {
  let timer: NodeJS.Timeout | undefined;
  let finished = false;
  const timeout = new Promise<never>((_, reject) => {
    void start.then(() => {
      if (finished) return;
      timer = setTimeout(() => reject(new GatewayError("INTEGRATION_TIMEOUT")), milliseconds);
    });
  });
  // Nothing reads a late reply.
  const destroyIfLate = ({ body }: Answer) => {
    if (finished && body instanceof Readable) body.destroy();
  };
  // A failure after the timeout is ignored.
  reply.then(destroyIfLate, () => {});
  try {
    return await Promise.race([reply, timeout]);
  } finally {
    finished = true;
    clearTimeout(timer);
  }
}

/** Reads a whole payload into memory. */
export async function collect(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = [];
  for await (const chunk of chunks) all.push(chunk);
  return Buffer.concat(all);
}
