import { matchesGlob } from "../iam/glob";
import { S3Error } from "./answers";

/** A rule of a bucket's CORS configuration, as the program registers it. */
export interface CorsRule {
  readonly allowedHeaders?: readonly string[];
  readonly allowedMethods: readonly string[];
  readonly allowedOrigins: readonly string[];
  readonly exposeHeaders?: readonly string[];
  readonly maxAgeSeconds?: number;
}

/** A cross-origin request: the origin, the method and, in a preflight, the names of the request's headers. */
export interface CorsRequest {
  readonly origin: string;
  readonly method: string;
  readonly headers: readonly string[];
}

/**
 * The response headers of the first matching rule; undefined if no rule matches.
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/ManageCorsUsing.html
 */
export function corsHeaders(rules: readonly CorsRule[], request: CorsRequest): Record<string, string> | undefined {
  const rule = rules.find((one) => ruleMatches(one, request));
  if (!rule) return undefined;
  const anyOrigin = rule.allowedOrigins.includes("*");
  return {
    "access-control-allow-origin": anyOrigin ? "*" : request.origin,
    "access-control-allow-methods": rule.allowedMethods.join(", "),
    ...(request.headers.length > 0 && { "access-control-allow-headers": request.headers.join(", ") }),
    ...(rule.exposeHeaders?.length && { "access-control-expose-headers": rule.exposeHeaders.join(", ") }),
    ...(rule.maxAgeSeconds !== undefined && { "access-control-max-age": String(rule.maxAgeSeconds) }),
    ...(!anyOrigin && { "access-control-allow-credentials": "true" }),
    vary: "Origin, Access-Control-Request-Headers, Access-Control-Request-Method",
  };
}

/** The response headers to a preflight. @throws S3Error 400 or 403, with S3's messages */
export function preflightHeaders(
  rules: readonly CorsRule[],
  headers: Readonly<Record<string, string>>,
): Record<string, string> {
  const origin = headers.origin;
  const method = headers["access-control-request-method"];
  if (origin === undefined) {
    throw new S3Error(400, "BadRequest", "Insufficient information. Origin request header needed.");
  }
  if (method === undefined) {
    throw new S3Error(400, "BadRequest", "Invalid Access-Control-Request-Method: null");
  }
  if (rules.length === 0) {
    throw new S3Error(403, "AccessForbidden", "CORSResponse: CORS is not enabled for this bucket.");
  }
  const requested = (headers["access-control-request-headers"] ?? "")
    .split(",")
    .map((name) => name.trim().toLowerCase());
  const answer = corsHeaders(rules, { origin, method, headers: requested.filter((name) => name !== "") });
  if (answer) return answer;
  throw new S3Error(403, "AccessForbidden", "CORSResponse: This CORS request is not allowed.");
}

function ruleMatches(rule: CorsRule, { origin, method, headers }: CorsRequest): boolean {
  const allowed = (rule.allowedHeaders ?? []).map((name) => name.toLowerCase());
  return (
    rule.allowedMethods.includes(method) &&
    rule.allowedOrigins.some((pattern) => matchesGlob(pattern, origin)) &&
    headers.every((name) => allowed.some((pattern) => matchesGlob(pattern, name)))
  );
}
