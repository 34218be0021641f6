import type { IncomingMessage } from "node:http";
import { accessDenied, errorAnswer, S3Error, standardHeaders } from "./answers";
import { corsHeaders, preflightHeaders } from "./cors";
import type { Bucket, S3 } from "./operations";
import { type Answer, bodyOf, headersOf } from "./serve";

/** Query parameters that select another operation; S3 ignores unknown parameters. */
const subresources = new Set(
  (
    "accelerate acl analytics attributes cors delete encryption intelligent-tiering inventory legal-hold lifecycle " +
    "location logging metrics notification object-lock ownershipControls partNumber policy policyStatus " +
    "publicAccessBlock replication requestPayment restore retention select tagging torrent uploadId uploads versionId " +
    "versioning versions website"
  ).split(" "),
);

/** Answers an anonymous path-style HTTP request. */
export async function answerHttp(
  request: IncomingMessage,
  store: S3,
  buckets: ReadonlyMap<string, Bucket>,
): Promise<Answer> {
  try {
    return await answerOrThrow(request, store, buckets);
  } catch (error) {
    if (error instanceof S3Error) return errorAnswer(error);
    throw error;
  }
}

async function answerOrThrow(
  request: IncomingMessage,
  store: S3,
  buckets: ReadonlyMap<string, Bucket>,
): Promise<Answer> {
  const method = request.method ?? "";
  const headers = headersOf(request);
  const { bucket, key, query } = parseTarget(request.url ?? "");
  // Only the account may list all buckets.
  if (bucket === "") throw accessDenied();
  const rules = buckets.get(bucket)?.cors ?? [];
  if (method === "OPTIONS") {
    return {
      status: 200,
      headers: { ...standardHeaders(), ...preflightHeaders(rules, headers), "content-length": "0" },
    };
  }
  checkCredentials(headers, query);
  checkQuery(query);
  if (method === "PUT" && headers["content-length"] === undefined) {
    throw new S3Error(411, "MissingContentLength", "You must provide the Content-Length HTTP header.");
  }
  const answer = await store.request({
    method,
    bucket,
    key,
    headers,
    principal: { kind: "anonymous" },
    body: bodyOf(request),
  });
  const { origin } = headers;
  const cors = origin === undefined ? undefined : corsHeaders(rules, { origin, method, headers: [] });
  return cors ? { ...answer, headers: { ...answer.headers, ...cors } } : answer;
}

/** Bucket, key and query of a request line's target; S3 does not resolve `.` and `..` in a path. */
function parseTarget(target: string): { bucket: string; key: string; query: URLSearchParams } {
  const path = target.replace(/^https?:\/\/[^/?]*/i, "");
  const [pathname, ...query] = path.split("?");
  const [, bucket = "", ...key] = pathname!.split("/");
  return { bucket: decode(bucket), key: decode(key.join("/")), query: new URLSearchParams(query.join("?")) };
}

/** S3 reads a `+` in a path as a blank, and only `%2B` as a plus (recorded: s3tools/s3cmd issue 554). */
function decode(part: string): string {
  try {
    return decodeURIComponent(part.replaceAll("+", " "));
  } catch {
    throw new S3Error(400, "InvalidURI", "Couldn't parse the specified URI.");
  }
}

/** This machine issues no credentials for its buckets, so the access key of a request is always unknown. */
function checkCredentials(headers: Readonly<Record<string, string>>, query: URLSearchParams): void {
  const scheme = headers.authorization?.split(" ")[0];
  const signed =
    scheme === "AWS" || scheme === "AWS4-HMAC-SHA256" || query.has("X-Amz-Signature") || query.has("Signature");
  if (signed) {
    const message = "The AWS Access Key Id you provided does not exist in our records.";
    throw new S3Error(403, "InvalidAccessKeyId", message);
  }
  if (scheme !== undefined) throw new S3Error(400, "InvalidArgument", "Unsupported Authorization Type");
}

function checkQuery(query: URLSearchParams): void {
  for (const name of query.keys()) {
    if (subresources.has(name)) throw accessDenied();
    if (name.startsWith("response-")) {
      const message = "Request specific response headers cannot be used for anonymous GET requests.";
      throw new S3Error(400, "InvalidRequest", message);
    }
  }
}
