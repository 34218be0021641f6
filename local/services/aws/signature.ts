import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { AwsError } from "./awsError";

/** The parts of an HTTP request that its signature covers. */
export interface SignedRequest {
  readonly method: string;
  /** Path and query as they were sent. */
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** What a request must be signed for. */
export interface Expected {
  /** For example `secretsmanager`. */
  readonly service: string;
  readonly region: string;
  /** The secret of an access key, or undefined for an unknown key. */
  secretOf(accessKeyId: string): string | undefined;
  readonly now: Date;
}

/** The first word of the header `authorization`. */
export const algorithm = "AWS4-HMAC-SHA256";
const toleranceInMs = 15 * 60 * 1000;

/**
 * Verifies a request's Signature Version 4, header form, as every AWS service but S3 does (path encoded twice).
 * @returns the access key that signed it.
 * @throws AwsError with AWS's code and text for a missing, malformed, foreign, outdated or wrong signature.
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */
export function verifySignature(request: SignedRequest, expected: Expected): string {
  const header = request.headers.authorization;
  if (!header) throw new AwsError("MissingAuthenticationTokenException", 400, "Missing Authentication Token");
  const match =
    /^AWS4-HMAC-SHA256 Credential=([^/,\s]+)\/([^,\s]+), ?SignedHeaders=([^,\s]+), ?Signature=([0-9a-f]{64})$/.exec(
      header,
    );
  const sentAt = request.headers["x-amz-date"];
  if (!match || typeof sentAt !== "string" || !/^\d{8}T\d{6}Z$/.test(sentAt)) {
    throw new AwsError("IncompleteSignatureException", 400, "The request signature does not conform to AWS standards.");
  }
  const [, accessKeyId, scope, signedHeaders, signature] = match as unknown as [string, string, string, string, string];
  const secret = expected.secretOf(accessKeyId);
  if (secret === undefined) {
    throw new AwsError("UnrecognizedClientException", 400, "The security token included in the request is invalid.");
  }
  const date = sentAt.slice(0, 8);
  const expectedScope = `${date}/${expected.region}/${expected.service}/aws4_request`;
  if (scope !== expectedScope) {
    throw invalid(`Credential should be scoped to ${expectedScope}, not ${scope}.`);
  }
  if (!signedHeaders.split(";").includes("host")) throw invalid("'Host' must be a 'SignedHeader'.");
  if (Math.abs(Date.parse(isoOf(sentAt)) - expected.now.getTime()) > toleranceInMs) {
    throw invalid(`Signature expired: ${sentAt} is more than 15 min. from ${expected.now.toISOString()}.`);
  }
  const calculated = signatureOf(request, { sentAt, scope, signedHeaders, secret });
  if (!timingSafeEqual(calculated, Buffer.from(signature, "hex"))) {
    throw invalid(
      "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access " +
        "Key and signing method. Consult the service documentation for details.",
    );
  }
  return accessKeyId;
}

/** The signature of a request, as bytes. The request must have all headers that `signedHeaders` lists. */
export function signatureOf(
  request: SignedRequest,
  { sentAt, scope, signedHeaders, secret }: { sentAt: string; scope: string; signedHeaders: string; secret: string },
): Buffer {
  const toSign = [algorithm, sentAt, scope, sha256(canonicalRequest(request, signedHeaders))].join("\n");
  return hmac(scope.split("/").reduce<string | Buffer>(hmac, `AWS4${secret}`), toSign);
}

function canonicalRequest({ method, url, headers, body }: SignedRequest, signedHeaders: string): string {
  const [path = "/", query = ""] = url.split(/\?(.*)/s);
  const headerLines = signedHeaders.split(";").map((name) => {
    const value = headers[name];
    return `${name}:${(Array.isArray(value) ? value.join(",") : (value ?? "")).trim().replace(/ +/g, " ")}\n`;
  });
  const parameters = [...new URLSearchParams(query)].map(([name, value]) => `${encode(name)}=${encode(value)}`).sort();
  return [
    method,
    path.split("/").map(encode).join("/"),
    parameters.join("&"),
    headerLines.join(""),
    signedHeaders,
    sha256(body),
  ].join("\n");
}

/** Percent-encodes all but A-Z a-z 0-9 - . _ ~; encodeURIComponent leaves five more characters unencoded. */
function encode(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
}

function invalid(message: string): AwsError {
  return new AwsError("InvalidSignatureException", 403, message);
}

function isoOf(amzDate: string): string {
  return amzDate.replace(/^(....)(..)(..T..)(..)(..Z)$/, "$1-$2-$3:$4:$5");
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}

function sha256(data: string | Buffer): string {
  return createHash("sha256").update(data).digest("hex");
}
