import { algorithm, type SignedRequest, signatureOf } from "../../../../local/services/aws/signature";

/**
 * The headers that sign a request, for callers without an AWS SDK. The URL's path must be percent-encoded already.
 * @returns `host`, `x-amz-date` and `authorization`, in addition to the given headers, all of which are signed.
 */
export function signedHeadersFor(
  request: Omit<SignedRequest, "headers"> & { readonly headers: Readonly<Record<string, string>> },
  credentials: { readonly accessKeyId: string; readonly secretAccessKey: string },
  { host, service, region, now }: { host: string; service: string; region: string; now: Date },
): Record<string, string> {
  const sentAt = now.toISOString().replace(/[-:]|\.\d{3}/g, "");
  const headers = { ...request.headers, host, "x-amz-date": sentAt };
  const signedHeaders = Object.keys(headers).sort().join(";");
  const scope = `${sentAt.slice(0, 8)}/${region}/${service}/aws4_request`;
  const secret = credentials.secretAccessKey;
  const signature = signatureOf({ ...request, headers }, { sentAt, scope, signedHeaders, secret }).toString("hex");
  const credential = `${credentials.accessKeyId}/${scope}`;
  const authorization = `${algorithm} Credential=${credential}, SignedHeaders=${signedHeaders}, Signature=${signature}`;
  return { ...headers, authorization };
}
