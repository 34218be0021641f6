/** The settings that restrict uploads beyond the documents. */
import { describe, expect, it } from "vitest";
import { idOf, recordProgram } from "../support/program";

const put = (program: Awaited<ReturnType<typeof recordProgram>>) =>
  program.one("aws:apigateway/integration:Integration", "image-api-put-s3").inputs as Record<string, any>;
const scopes = (program: Awaited<ReturnType<typeof recordProgram>>, method: string) =>
  program.one("aws:apigateway/method:Method", `image-api-${method}-method`).inputs.authorizationScopes;

describe("api.ownPrefix", () => {
  it("writes below the token's sub, with the bucket's name in the path; reading stays as documented", async () => {
    const program = await recordProgram({ "ecommerce:api": '{"ownPrefix":true}' });
    const { bucket } = program.one("aws:s3/bucket:Bucket").inputs;
    expect(put(program).uri).toBe(`arn:aws:apigateway:us-east-1:s3:path/${bucket}/{sub}/{key}`);
    expect(put(program).requestParameters).toEqual({
      "integration.request.path.sub": "context.authorizer.claims.sub",
      "integration.request.path.key": "method.request.path.file_name",
      "integration.request.header.Content-Type": "method.request.header.Content-Type",
    });
    expect(program.one("aws:apigateway/integration:Integration", "image-api-get-s3").inputs.uri).toBe(
      "arn:aws:apigateway:us-east-1:s3:path/{bucket}/{key}",
    );
  });
});

describe("api.overwrite", () => {
  it("makes S3 refuse an upload to a key that exists", async () => {
    const header = "integration.request.header.If-None-Match";
    expect(put(await recordProgram({ "ecommerce:api": '{"overwrite":false}' })).requestParameters[header]).toBe("'*'");
    expect(put(await recordProgram()).requestParameters).not.toHaveProperty(header);
  });
});

describe("api.accountLogRole", () => {
  it("logs the errors of the stage without tokens, for the configured days, once the account has the role", async () => {
    const program = await recordProgram({
      "ecommerce:api": '{"accountLogRole":true}',
      "ecommerce:logs": '{"retentionDays":14}',
    });
    const api = idOf(program.one("aws:apigateway/restApi:RestApi"));
    expect(program.one("aws:apigateway/methodSettings:MethodSettings").inputs).toEqual({
      restApi: api,
      stageName: "v1",
      methodPath: "*/*",
      settings: { loggingLevel: "ERROR", dataTraceEnabled: false },
    });
    expect(program.one("aws:cloudwatch/logGroup:LogGroup", "image-api-logs").inputs).toMatchObject({
      name: `API-Gateway-Execution-Logs_${api}/v1`,
      retentionInDays: 14,
    });
    const order = program.resources.map(({ name }) => name);
    expect(order.indexOf("image-api-logging")).toBeGreaterThan(order.indexOf("image-api-role-account"));
    expect(order.indexOf("image-api-logging")).toBeGreaterThan(order.indexOf("image-api-logs"));
  });

  it("is off by default, and logs nothing then", async () => {
    const program = await recordProgram();
    expect(program.all("aws:apigateway/account:Account")).toEqual([]);
    expect(program.all("aws:apigateway/methodSettings:MethodSettings")).toEqual([]);
  });
});

describe("api.writers", () => {
  it("requires a scope that only a confidential client may have", async () => {
    const program = await recordProgram({ "ecommerce:api": '{"writers":"application"}' });
    expect(scopes(program, "put")).toEqual(["images/write"]);
    expect(scopes(program, "get")).toEqual(["openid"]);
    expect(program.one("aws:cognito/resourceServer:ResourceServer").inputs).toMatchObject({
      identifier: "images",
      scopes: [{ scopeName: "write" }],
    });
    const clients = program.all("aws:cognito/userPoolClient:UserPoolClient");
    const mayWrite = clients.filter(({ inputs }) => (inputs.allowedOauthScopes as string[]).includes("images/write"));
    expect(mayWrite.map(({ inputs }) => [inputs.name, inputs.generateSecret])).toEqual([["auth_writer_app", true]]);
    // Without branding the client's login page would be unavailable.
    const branded = program.all("aws:cognito/managedLoginBranding:ManagedLoginBranding");
    expect(branded.map(({ inputs }) => inputs.clientId)).toEqual(clients.map(idOf));
  });
  it("gives the tokens of both clients the same lifetime", async () => {
    const program = await recordProgram({ "ecommerce:api": '{"writers":"application"}' });
    const lifetimes = program.all("aws:cognito/userPoolClient:UserPoolClient").map(({ inputs }) => ({
      accessToken: [inputs.accessTokenValidity, (inputs.tokenValidityUnits as any).accessToken],
      idToken: [inputs.idTokenValidity, (inputs.tokenValidityUnits as any).idToken],
      refreshToken: [inputs.refreshTokenValidity, (inputs.tokenValidityUnits as any).refreshToken],
    }));
    const documented = { accessToken: [60, "minutes"], idToken: [60, "minutes"], refreshToken: [30, "days"] };
    expect(lifetimes).toEqual([documented, documented]);
  });
  it("has no second client and no other scope by default", async () => {
    const program = await recordProgram();
    expect(scopes(program, "put")).toEqual(["openid"]);
    expect(program.all("aws:cognito/resourceServer:ResourceServer")).toEqual([]);
    expect(program.all("aws:cognito/userPoolClient:UserPoolClient")).toHaveLength(1);
  });
});
