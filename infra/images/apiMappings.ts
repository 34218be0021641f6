/** The mappings of the image API as plain data: parameters, statuses and headers (S9). */

type Mapping = Record<string, string>;

/**
 * Payloads of these types pass as bytes. The documents list JPEG and PNG (S9). With these two alone API Gateway reads
 * every other payload as UTF-8 text, answers 200 and stores a damaged picture; so all other types are binary as well.
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-payload-encodings-workflow.html
 */
export const binaryMediaTypes = ["image/jpeg", "image/png", "*/*"];

/** Path parameters of the two resources; a method declares those in its path. */
export const pathParameters = (resource: string): Record<string, boolean> => ({
  "method.request.path.bucket_name": true,
  ...(resource === "file" ? { "method.request.path.file_name": true } : {}),
});

/** The path override of an integration, and the parameters that go with it. */
interface ObjectPath {
  readonly path: string;
  readonly parameters: Mapping;
}

const bucketFromPath: Mapping = { "integration.request.path.bucket": "method.request.path.bucket_name" };
const keyFromPath: Mapping = { "integration.request.path.key": "method.request.path.file_name" };

/** The path override `{bucket}/{key}`, filled from the two path parameters. */
export const objectPath: ObjectPath = { path: "{bucket}/{key}", parameters: { ...bucketFromPath, ...keyFromPath } };

/** Restrictions of uploads beyond the documents; without them any signed-in person may replace any picture. */
export interface UploadRules {
  /** Put the person's `sub` before the key. The upload goes to the API's own bucket, whatever bucket its path names. */
  readonly ownPrefix: boolean;
  /** Let an upload replace an object; otherwise S3 answers 412. */
  readonly overwrite: boolean;
}

/**
 * The path override of an upload, and its parameters (PutObject's conditional write).
 *
 * With `ownPrefix` the path contains the bucket's name literally. API Gateway decodes path parameters before it fills
 * them in, so `{bucket}/{sub}/{key}` would let `PUT /BUCKET%2FVICTIM/x.png` write to `VICTIM/<sub>/x.png`.
 *
 * @param bucketName the bucket that `ownPrefix` writes to
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-known-issues.html
 */
export const uploadPath = ({ ownPrefix, overwrite }: UploadRules, bucketName: string): ObjectPath => {
  const condition: Mapping = overwrite ? {} : { "integration.request.header.If-None-Match": fixed("*") };
  if (!ownPrefix) return { ...objectPath, parameters: { ...objectPath.parameters, ...condition } };
  const sub: Mapping = { "integration.request.path.sub": "context.authorizer.claims.sub" };
  return { path: `${bucketName}/{sub}/{key}`, parameters: { ...sub, ...keyFromPath, ...condition } };
};

const header = (name: string) => `method.response.header.${name}`;
const fromS3 = (...names: string[]): Mapping =>
  Object.fromEntries(names.map((name) => [header(name), `integration.response.header.${name}`]));
/** A mapping has static values in single quotes. */
const fixed = (value: string) => `'${value}'`;

/** The CORS headers of every response. */
export const corsHeaders = (origin: string): Mapping => ({
  [header("Access-Control-Allow-Origin")]: fixed(origin),
  ...(origin === "*" ? {} : { [header("Vary")]: fixed("Origin") }),
});

/** The answer to a browser's preflight. `Authorization` must be named: `*` does not cover it. */
export const optionsMethod = (methods: readonly string[], origin: string): Mapping => ({
  ...corsHeaders(origin),
  [header("Access-Control-Allow-Methods")]: fixed(methods.join(",")),
  [header("Access-Control-Allow-Headers")]: fixed("Authorization,Content-Type"),
  [header("Access-Control-Max-Age")]: fixed("600"),
});

interface ResponseRoute {
  /** The status of S3's response, and of the API's. */
  readonly status: string;
  readonly headers: Mapping;
}

/**
 * Statuses that S3 answers to GetObject and PutObject ("Error responses", S3 API reference), passed on as they are. A
 * status that is not listed becomes the gateway's 500; without a pattern for 200 it would become a success.
 */
const errors: ResponseRoute[] = ["400", "403", "404", "405", "409", "411", "412", "416", "500", "501", "503"].map(
  (status) => ({ status, headers: fromS3("Content-Type") }),
);

interface Route {
  readonly methodParameters: Record<string, boolean>;
  readonly integrationParameters: Mapping;
  readonly responses: readonly ResponseRoute[];
}

export const imageMethods: Record<"PUT" | "GET", Route> = {
  PUT: {
    methodParameters: { ...pathParameters("file"), "method.request.header.Content-Type": false },
    integrationParameters: { "integration.request.header.Content-Type": "method.request.header.Content-Type" },
    responses: [{ status: "200", headers: fromS3("ETag") }, ...errors],
  },
  GET: {
    methodParameters: pathParameters("file"),
    integrationParameters: {},
    responses: [{ status: "200", headers: fromS3("Content-Type", "ETag", "Last-Modified") }, ...errors],
  },
};

/** The gateway's own errors, with the headers that a page needs to read them. */
export const defaultErrors = {
  types: ["DEFAULT_4XX", "DEFAULT_5XX"] as const,
  content: (origin: string) => ({
    responseParameters: {
      "gatewayresponse.header.Access-Control-Allow-Origin": fixed(origin),
      "gatewayresponse.header.Access-Control-Allow-Headers": fixed("Authorization,Content-Type"),
    },
    responseTemplates: { "application/json": '{"message":$context.error.messageString}' },
  }),
};
