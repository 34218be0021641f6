import { afterEach, describe, expect, it } from "vitest";
import { exchange } from "../s3/exchange";
import { testContext } from "../s3/store";
import { bucket, type Options, poolArn, startDocumented } from "./documentedApi";

const running: { close(): Promise<void> }[] = [];
const contexts: ReturnType<typeof testContext>[] = [];

async function start(options: Options = {}) {
  const context = options.context ?? testContext();
  contexts.push(context);
  const api = await startDocumented({ ...options, context });
  running.push(api);
  return api;
}

afterEach(async () => {
  for (const one of running.splice(0)) await one.close();
  for (const context of contexts.splice(0)) context.remove();
});

/** Changes the inputs of one resource. */
const changing =
  (type: string, name: string, changes: Record<string, unknown> | null): Options["change"] =>
  (aType, aName, inputs) =>
    aType === `aws:apigateway/${type}` && aName === name ? changes && { ...inputs, ...changes } : inputs;

describe("refused as API Gateway refuses it", () => {
  const path = "integration.request.path.key";
  it.each<[string, string, Record<string, unknown> | null, RegExp]>([
    [
      "methodResponse:MethodResponse",
      "GET-404",
      null,
      /NotFoundException: Invalid Response status code specified: 404/,
    ],
    ["integration:Integration", "GET", null, /NotFoundException: Invalid Integration identifier/],
    ["method:Method", "GET", null, /NotFoundException: Invalid Method identifier/],
    ["authorizer:Authorizer", "authorizer", null, /Invalid authorizer ID specified/],
    ["resource:Resource", "bucket", null, /NotFoundException: Invalid Resource identifier/],
    ["deployment:Deployment", "deployment", null, /Invalid deployment id/],
    ["method:Method", "PUT", { requestParameters: {} }, /method\.request\.path\.bucket_name.*requestParameters/],
    ["method:Method", "PUT", { authorization: "NONE", authorizerId: undefined }, /authorizationScopes need/],
    ["method:Method", "PUT", { requestParameters: { "method.request.body": true } }, /method\.request\.body/],
    ["method:Method", "PUT", { httpMethod: "put" }, /Invalid HttpMethod/],
    ["method:Method", "PUT", { httpMethod: "OPTIONS" }, /Method identifier/],
    ["integration:Integration", "PUT", { timeoutMilliseconds: 29_001 }, /between 50 ms and 29000 ms.*29001/],
    ["integration:Integration", "PUT", { timeoutMilliseconds: 49 }, /between 50 ms and 29000 ms/],
    ["integration:Integration", "PUT", { integrationHttpMethod: undefined }, /must be non-empty/],
    ["integration:Integration", "PUT", { requestParameters: { [path]: "a.b" } }, /Invalid mapping expression.*a\.b/],
    ["integrationResponse:IntegrationResponse", "PUT-404", { statusCode: "418" }, /status code specified: 418/],
    [
      "integrationResponse:IntegrationResponse",
      "PUT-404",
      { responseParameters: { "method.response.header.X": "'x'" } },
      /Invalid mapping expression parameter specified: method\.response\.header\.X/,
    ],
    ["integrationResponse:IntegrationResponse", "PUT-404", { selectionPattern: "4\\d\\d" }, /select the same statuses/],
    ["integrationResponse:IntegrationResponse", "PUT-404", { selectionPattern: undefined }, /the default/],
    ["integrationResponse:IntegrationResponse", "PUT-404", { selectionPattern: "(" }, /not a regular expression/],
    ["authorizer:Authorizer", "authorizer", { providerArns: [poolArn + "x"] }, /no user pool .*x/],
    ["authorizer:Authorizer", "authorizer", { providerArns: [] }, /providerArns is empty/],
    ["resource:Resource", "file", { pathPart: "a/b" }, /path part only allow/],
    ["stage:Stage", "stage", { stageName: "a/b" }, /stageName/],
  ])("%s %s %j", async (type, name, changes, message) => {
    await expect(start({ change: changing(type, name, changes) })).rejects.toThrow(message);
  });

  it("siblings with conflicting path parts", async () => {
    const api = await start();
    const add = (pathPart: string, parentId = api.restApi.rootResourceId) =>
      api.make("aws:apigateway/resource:Resource", pathPart, { restApi: api.restApi.id, parentId, pathPart });
    await expect(add("{other}")).rejects.toThrow(/sibling \(\{bucket_name\}\)/);
    await expect(add("{bucket_name}")).rejects.toThrow(/ConflictException/);
    const greedy = await add("{rest+}");
    await expect(add("child", greedy.id)).rejects.toThrow(/greedy/);
  });
});

describe("refused by name because it is not simulated", () => {
  it.each<[string, string, Record<string, unknown>, RegExp]>([
    ["restApi:RestApi", "api", { policy: "{}" }, /aws:apigateway\/restApi:RestApi "api": the input policy/],
    ["restApi:RestApi", "api", { minimumCompressionSize: "0" }, /minimumCompressionSize/],
    ["restApi:RestApi", "api", { endpointConfiguration: { types: "PRIVATE" } }, /types is "PRIVATE".*REGIONAL/],
    ["authorizer:Authorizer", "authorizer", { type: "TOKEN" }, /type is "TOKEN".*COGNITO_USER_POOLS/],
    ["authorizer:Authorizer", "authorizer", { identityValidationExpression: ".*" }, /identityValidationExpression/],
    ["method:Method", "PUT", { authorization: "AWS_IAM" }, /AWS_IAM/],
    ["method:Method", "PUT", { apiKeyRequired: true }, /apiKeyRequired is true/],
    ["integration:Integration", "PUT", { type: "HTTP_PROXY" }, /type is "HTTP_PROXY".*AWS.*MOCK/],
    ["integration:Integration", "PUT", { uri: "arn:aws:apigateway:us-east-1:sqs:path/1/q" }, /uri is .*sqs/],
    ["integration:Integration", "PUT", { uri: "arn:aws:apigateway:eu-west-1:s3:path/{bucket}/{key}" }, /eu-west-1/],
    ["integration:Integration", "PUT", { integrationHttpMethod: "DELETE" }, /integrationHttpMethod is "DELETE"/],
    ["integration:Integration", "PUT", { requestTemplates: { "image/png": "{}" } }, /requestTemplates/],
    ["integration:Integration", "options-item", { requestTemplates: { "a/b": "$input.body" } }, /template language/],
    ["integration:Integration", "PUT", { credentials: "arn:aws:iam::*:user/*" }, /credentials/],
    [
      "integration:Integration",
      "PUT",
      { requestParameters: { "integration.request.querystring.acl": "'x'" } },
      /integration\.request\.querystring\.acl has no meaning/,
    ],
    [
      "integrationResponse:IntegrationResponse",
      "PUT-404",
      { responseTemplates: { "application/json": "$input.json('$')" } },
      /template language/,
    ],
    ["response:Response", "DEFAULT_4XX", { responseType: "TEAPOT" }, /responseType is "TEAPOT"/],
    [
      "response:Response",
      "DEFAULT_4XX",
      { responseTemplates: { a: "$context.error.validationErrorString" } },
      /validation/,
    ],
    ["response:Response", "DEFAULT_4XX", { responseTemplates: { a: "#set($a = 1)" } }, /uses #/],
    ["stage:Stage", "stage", { cacheClusterEnabled: true }, /cacheClusterEnabled is true/],
    ["stage:Stage", "stage", { variables: { a: "b" } }, /the input variables/],
  ])("%s %s %j", async (type, name, changes, message) => {
    await expect(start({ change: changing(type, name, changes) })).rejects.toThrow(message);
  });

  it("a cache in the method settings; settings of logs, metrics and throttling are accepted", async () => {
    const api = await start();
    const settings = (more: object) =>
      api.make("aws:apigateway/methodSettings:MethodSettings", "settings", {
        restApi: api.restApi.id,
        stageName: "dev",
        methodPath: "*/*",
        settings: more,
      });
    await expect(settings({ cachingEnabled: true })).rejects.toThrow(/cachingEnabled is true/);
    await settings({ loggingLevel: "INFO", metricsEnabled: true, throttlingRateLimit: 10 });
  });

  it("an account role that API Gateway cannot assume", async () => {
    const api = await start();
    const account = (cloudwatchRoleArn: string) =>
      api.make("aws:apigateway/account:Account", "account", { cloudwatchRoleArn });
    await expect(account("arn:aws:iam::123456789012:role/none")).rejects.toThrow(/cannot assume the role/);
    await account("arn:aws:iam::123456789012:role/ecommerce-api-gateway-to-s3");
  });
});

describe("deployments", () => {
  const withoutScopes = changing("method:Method", "PUT", { authorizationScopes: undefined });
  const tryPut = async (api: Awaited<ReturnType<typeof start>>, authorization: string) => {
    const headers = { authorization, "content-type": "image/png" };
    return (await exchange(api.url, `/dev/${bucket}/a`, { method: "PUT", headers, body: "x" })).status;
  };

  it("the same program has the same identifiers after a new start", async () => {
    const context = testContext();
    const first = await start({ context });
    await first.close();
    const second = await start({ context });
    for (const key of ["restApi", "authorizer", "folder", "item", "deployment"] as const) {
      expect(second[key]).toEqual(first[key]);
    }
    expect(second.stage.executionArn).toBe(`arn:aws:execute-api:us-east-1:123456789012:${first.restApi.id}/dev`);
    expect(second.stage.invokeUrl).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/dev$/);
  });

  it("an edit that no trigger covers is not served; an edit with other triggers is", async () => {
    const context = testContext();
    const first = await start({ context });
    expect(await tryPut(first, first.users.access())).toBe(200);
    await first.close();

    const undeployed = await start({ context, change: withoutScopes });
    expect(await tryPut(undeployed, undeployed.users.access())).toBe(200);
    expect(await tryPut(undeployed, undeployed.users.id())).toBe(401);
    await undeployed.close();

    const deployed = await start({ context, change: withoutScopes, triggers: { hash: "2" } });
    expect(deployed.deployment.id).not.toBe(first.deployment.id);
    expect(await tryPut(deployed, deployed.users.access())).toBe(401);
    expect(await tryPut(deployed, deployed.users.id())).toBe(200);
  });

  it("a resource that is registered after the deployment is not served", async () => {
    const api = await start();
    const { id } = await api.make("aws:apigateway/resource:Resource", "late", {
      restApi: api.restApi.id,
      parentId: api.restApi.rootResourceId,
      pathPart: "late",
    });
    for (const resourceId of [id, api.folder.id]) {
      const on = { restApi: api.restApi.id, resourceId, httpMethod: "GET" };
      await api.make("aws:apigateway/method:Method", "late", { ...on, authorization: "NONE" });
      await api.make("aws:apigateway/integration:Integration", "late", { ...on, type: "MOCK" });
    }
    for (const path of ["/dev/late", `/dev/${bucket}`]) {
      expect((await exchange(api.url, path)).text).toBe('{"message":"Missing Authentication Token"}');
    }
  });

  it("an API without methods, or with an unfinished one, cannot be deployed", async () => {
    const api = await start();
    const restApi = await api.make("aws:apigateway/restApi:RestApi", "empty", { name: "empty" });
    const deploy = () =>
      api.make("aws:apigateway/deployment:Deployment", "empty", { restApi: restApi.id, triggers: {} });
    await expect(deploy()).rejects.toThrow(/doesn't contain any methods/);
    const on = { restApi: restApi.id, resourceId: restApi.rootResourceId, httpMethod: "GET" };
    await api.make("aws:apigateway/method:Method", "empty", { ...on, authorization: "NONE" });
    await expect(deploy()).rejects.toThrow(/No integration defined for method GET \//);
  });
});
