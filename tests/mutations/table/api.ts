/** The REST API (S9). */
import { change, omit, postpone } from "../changes";
import type { Mutation } from "../mutation";

const api = "apigateway/restApi:RestApi";
const authorizer = "apigateway/authorizer:Authorizer";
const resource = "apigateway/resource:Resource";
const method = "apigateway/method:Method";
const integration = "apigateway/integration:Integration";
const methodResponse = "apigateway/methodResponse:MethodResponse";
const integrationResponse = "apigateway/integrationResponse:IntegrationResponse";
const gatewayResponse = "apigateway/response:Response";
const deployment = "apigateway/deployment:Deployment";
const stage = "apigateway/stage:Stage";

/** A map input with other entries; undefined takes one away. */
const entries = (target: string, key: string, others: Record<string, unknown>) =>
  change(target, (inputs) => ({
    [key]: Object.fromEntries(Object.entries({ ...inputs[key], ...others }).filter(([, value]) => value !== undefined)),
  }));
const cors = "method.response.header.Access-Control-Allow-Origin";

export const restApi: readonly Mutation[] = [
  {
    name: "an authorizer of another type",
    onAws: "CreateAuthorizer is refused: a TOKEN authorizer needs a function",
    change: change(authorizer, { type: "TOKEN" }),
    caughtBy: { start: "TOKEN" },
  },
  {
    name: "an authorizer for another user pool",
    onAws: "CreateAuthorizer is refused; for a pool that exists every token is 401",
    change: change(authorizer, {
      providerArns: ["arn:aws:cognito-idp:us-east-1:000000000000:userpool/us-east-1_another00"],
    }),
    caughtBy: { start: "Invalid Cognito User Pool ARN" },
  },
  {
    name: "an authorizer that reads another header",
    onAws: "every token in `Authorization` is 401",
    change: change(authorizer, { identitySource: "method.request.header.X-Token" }),
    caughtBy: { story: "upload", says: "Unauthorized" },
  },
  {
    name: "uploads without authorization",
    onAws: "anyone may upload",
    change: change(`${method} image-api-put-method`, {
      authorization: "NONE",
      authorizerId: undefined,
      authorizationScopes: undefined,
    }),
    caughtBy: { story: "no token" },
  },
  {
    name: "uploads without a scope",
    onAws: "the method wants an ID token: access tokens are 401",
    change: change(`${method} image-api-put-method`, { authorizationScopes: [] }),
    caughtBy: { story: "upload", says: "Unauthorized" },
  },
  {
    name: "uploads with another scope",
    onAws: "tokens with `openid` alone are 401",
    change: change(`${method} image-api-put-method`, { authorizationScopes: ["email"] }),
    caughtBy: { story: "upload", says: "Unauthorized" },
  },
  {
    name: "an API key is required",
    onAws: "every request without one is 403",
    change: change(`${method} image-api-put-method`, { apiKeyRequired: true }),
    caughtBy: { start: "apiKeyRequired" },
  },
  {
    name: "a path parameter of another name than the mapping's",
    onAws: "nothing is mapped to the bucket: 500",
    change: change(`${resource} image-api-bucket`, { pathPart: "{bucket}" }),
    caughtBy: { story: "upload", says: "Internal server error" },
  },
  {
    name: "bucket and key exchanged in the mapping",
    onAws: "S3 is asked for a bucket of the file's name: 403 or 404",
    change: entries(`${integration} image-api-put-s3`, "requestParameters", {
      "integration.request.path.bucket": "method.request.path.file_name",
      "integration.request.path.key": "method.request.path.bucket_name",
    }),
    caughtBy: { story: "upload" },
  },
  {
    name: "the key is not mapped",
    onAws: "500: the path override has a parameter that nothing fills",
    change: entries(`${integration} image-api-put-s3`, "requestParameters", {
      "integration.request.path.key": undefined,
    }),
    caughtBy: { story: "upload", says: "Internal server error" },
  },
  {
    name: "the method does not declare its path parameters",
    onAws: "PutIntegration is refused: invalid mapping expression",
    change: change(`${method} image-api-put-method`, { requestParameters: {} }),
    caughtBy: { start: "Invalid mapping expression" },
  },
  {
    name: "an action of S3 instead of the path override",
    onAws: "S3 takes no actions by name: errors for every request",
    change: change(`${integration} image-api-put-s3`, { uri: "arn:aws:apigateway:us-east-1:s3:action/PutObject" }),
    caughtBy: { start: "uri is" },
  },
  {
    name: "an integration in another region",
    onAws: "S3 redirects, and the redirect is no answer that the API knows: 500",
    change: change(`${integration} image-api-put-s3`, { uri: "arn:aws:apigateway:eu-west-1:s3:path/{bucket}/{key}" }),
    caughtBy: { start: "names the region eu-west-1" },
  },
  {
    name: "the integration without the role",
    onAws: "S3 is asked anonymously: uploads are 403",
    change: change(`${integration} image-api-put-s3`, { credentials: undefined }),
    caughtBy: { story: "upload", says: "AccessDenied" },
  },
  {
    name: "the integration with the function's role",
    onAws: "API Gateway cannot assume it: 500",
    change: change(`${integration} image-api-put-s3`, ({ credentials }) => ({
      credentials: credentials.replace(/role\/.*/, "role/register-user-role"),
    })),
    caughtBy: { story: "upload", says: "Internal server error" },
  },
  {
    name: "content does not pass through",
    onAws: "415 for every picture",
    change: change(`${integration} image-api-put-s3`, { passthroughBehavior: "NEVER" }),
    caughtBy: { story: "upload", says: "Unsupported Media Type" },
  },
  {
    name: "an integration timeout of 30 s",
    onAws: "PutIntegration is refused beyond 29 s",
    change: change(`${integration} image-api-put-s3`, { timeoutMilliseconds: 30_000 }),
    caughtBy: { start: "between 50 ms and 29000 ms" },
  },
  {
    name: "the upload's content type is not passed on",
    onAws: "S3 keeps every picture as application/json, and browsers download it",
    change: entries(`${integration} image-api-put-s3`, "requestParameters", {
      "integration.request.header.Content-Type": undefined,
    }),
    caughtBy: { story: "public picture", says: "application/json" },
  },
  {
    name: "no binary media types",
    onAws: "pictures are read as text, and broken",
    change: change(api, { binaryMediaTypes: [] }),
    caughtBy: { story: "public picture", says: "other bytes" },
  },
  {
    name: "only the documented types are binary",
    onAws: "WebP, GIF, AVIF and all other types are read as text, answered 200, and broken",
    change: change(api, { binaryMediaTypes: ["image/jpeg", "image/png"] }),
    caughtBy: { story: "another type", says: "other bytes" },
  },
  {
    name: "uploads are converted to text",
    onAws: "S3 keeps Base64",
    change: change(`${integration} image-api-put-s3`, { contentHandling: "CONVERT_TO_TEXT" }),
    caughtBy: { story: "public picture", says: "other bytes" },
  },
  {
    name: "downloads are converted to text",
    onAws: "everybody gets Base64",
    change: change(`${integrationResponse} image-api-get-200`, { contentHandling: "CONVERT_TO_TEXT" }),
    caughtBy: { story: "download", says: "other bytes" },
  },
  {
    name: "S3's errors are converted to text",
    onAws: "clients get Base64 instead of S3's XML",
    change: change(`${integrationResponse} image-api-get-403`, { contentHandling: "CONVERT_TO_TEXT" }),
    caughtBy: { story: "missing picture", says: "AccessDenied" },
  },
  {
    name: "the preflight is not converted to text",
    onAws: "500 to every preflight: no browser uploads anything",
    change: change(`${integration} image-api-file-options-mock`, { contentHandling: undefined }),
    caughtBy: { story: "preflight", says: "500" },
  },
  {
    name: "the download's content type is not mapped",
    onAws: "every picture is application/json",
    change: entries(`${integrationResponse} image-api-get-200`, "responseParameters", {
      "method.response.header.Content-Type": undefined,
    }),
    caughtBy: { story: "download", says: "application/json" },
  },
  {
    name: "no CORS header on downloads",
    onAws: "a page cannot read the picture",
    change: entries(`${integrationResponse} image-api-get-200`, "responseParameters", { [cors]: undefined }),
    caughtBy: { story: "download", says: "Access-Control-Allow-Origin" },
  },
  {
    name: "no CORS header on S3's 403",
    onAws: "a page sees a network error instead of 403",
    change: entries(`${integrationResponse} image-api-get-403`, "responseParameters", { [cors]: undefined }),
    caughtBy: { story: "missing picture", says: "Access-Control-Allow-Origin" },
  },
  {
    name: "no CORS header on the gateway's own 4xx",
    onAws: "a page sees a network error instead of 401, and cannot ask to sign in again",
    change: omit(`${gatewayResponse} image-api-default_4xx`),
    caughtBy: { story: "no token", says: "Access-Control-Allow-Origin" },
  },
  {
    name: "no CORS header on the gateway's own 5xx",
    onAws: "a page sees a network error instead of 500 or 504",
    change: omit(`${gatewayResponse} image-api-default_5xx`),
    caughtBy: { row: "S9" },
  },
  {
    name: "the preflight does not name `Authorization`",
    onAws: "browsers do not send the upload",
    change: entries(`${integrationResponse} image-api-file-options-200`, "responseParameters", {
      "method.response.header.Access-Control-Allow-Headers": "'*'",
    }),
    caughtBy: { story: "preflight", says: "authorization" },
  },
  {
    name: "no method response for 200",
    onAws: "PutIntegrationResponse is refused",
    change: omit(`${methodResponse} image-api-get-200`),
    caughtBy: { start: "Invalid Response status code" },
  },
  {
    name: "a header that its method response does not declare",
    onAws: "PutIntegrationResponse is refused",
    change: change(`${methodResponse} image-api-get-200`, { responseParameters: {} }),
    caughtBy: { start: "Invalid mapping expression" },
  },
  {
    name: "no answer to S3's 403",
    onAws: "a missing picture is 500",
    change: omit(`${integrationResponse} image-api-get-403`),
    caughtBy: { story: "missing picture", says: "500" },
  },
  {
    name: "200 is the default answer",
    onAws: "a status of S3 that has no answer of its own reads as success",
    change: change(`${integrationResponse} image-api-get-200`, { selectionPattern: undefined }),
    caughtBy: { row: "S9" },
  },
  {
    name: "an answer that is made after the deployment",
    onAws: "it is not deployed: downloads are 500",
    change: postpone(`${integrationResponse} image-api-get-200`, deployment),
    caughtBy: { story: "download", says: "Internal server error" },
  },
  {
    name: "a deployment whose triggers never change",
    onAws: "later edits of the API are never served",
    change: change(deployment, { triggers: { definition: "always the same" } }),
    edits: true,
    caughtBy: { story: "preflight", says: "Access-Control-Allow-Origin" },
  },
  {
    name: "a stage with a deployment of another API",
    onAws: "CreateStage is refused",
    change: change(stage, { deployment: "abc123" }),
    caughtBy: { start: "Invalid deployment id" },
  },
  {
    name: "an edge-optimised API",
    onAws: "works through CloudFront, and is not what the documents say",
    change: change(api, { endpointConfiguration: { types: "EDGE" } }),
    caughtBy: { row: "S9" },
  },
];
