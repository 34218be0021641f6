import { connect } from "node:net";
import { ListUsersCommand, UpdateGroupCommand } from "@aws-sdk/client-cognito-identity-provider";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { clientInputs, LocalCognito } from "./support";

let local: LocalCognito;
beforeEach(async () => {
  local = await LocalCognito.start();
});
afterEach(() => local.dispose());

describe("what the program registers", () => {
  test("returns the provider's outputs", async () => {
    const pool = await local.make("userPool:UserPool", {
      name: "auth_user_group",
      usernameAttributes: ["email"],
      usernameConfiguration: { caseSensitive: false },
    });
    const arn = `arn:aws:cognito-idp:us-east-1:000000000000:userpool/${pool.id}`;
    expect(pool.outputs).toMatchObject({ arn, endpoint: expect.stringContaining(pool.id) });
    const domain = await local.make("userPoolDomain:UserPoolDomain", {
      userPoolId: pool.id,
      domain: "ecommerce-dev",
      managedLoginVersion: 2,
    });
    expect(domain.id).toBe("ecommerce-dev");
    const server = await local.make("resourceServer:ResourceServer", {
      userPoolId: pool.id,
      identifier: "images",
      scopes: [{ scopeName: "write" }],
    });
    expect(server.outputs.scopeIdentifiers).toEqual(["images/write"]);
    await local.make("userPoolClient:UserPoolClient", {
      userPoolId: pool.id,
      allowedOauthFlowsUserPoolClient: true,
      allowedOauthFlows: ["code"],
      allowedOauthScopes: ["images/write"],
      callbackUrls: ["https://example.com/"],
      supportedIdentityProviders: ["COGNITO"],
    });
  });

  test.each([
    ["userPool:UserPool", { mfaConfiguration: "ON" }, /does not simulate mfaConfiguration/],
    ["userPool:UserPool", { lambdaConfig: { preSignUp: "arn" } }, /does not simulate lambdaConfig.preSignUp/],
    [
      "userPoolClient:UserPoolClient",
      { userPoolId: "us-east-1_nowhere00" },
      /there is no user pool "us-east-1_nowhere00"/,
    ],
    [
      "userPoolClient:UserPoolClient",
      { accessTokenValidity: 1 },
      /accessTokenValidity is "1 minutes"; allowed: 5 minutes/,
    ],
    [
      "userPoolClient:UserPoolClient",
      { allowedOauthScopes: ["opennid"] },
      /allowedOauthScopes is \["opennid"\]; allowed: one or more of openid/,
    ],
    ["userPoolClient:UserPoolClient", { allowedOauthFlows: ["implicit"] }, /allowedOauthFlows/],
    ["userPoolClient:UserPoolClient", { supportedIdentityProviders: [] }, /supportedIdentityProviders/],
    [
      "userPoolClient:UserPoolClient",
      { callbackUrls: ["http://example.com/"] },
      /callbackUrls is "http:\/\/example.com\/"/,
    ],
    ["userPoolClient:UserPoolClient", { callbackUrls: [] }, /at least one/],
    ["userPoolClient:UserPoolClient", { logoutUrls: ["https://example.com/#x"] }, /logoutUrls/],
    ["userPoolDomain:UserPoolDomain", { domain: "Shop" }, /domain is "Shop"; allowed/],
    ["userPoolDomain:UserPoolDomain", { domain: "my-aws-shop" }, /without the words aws/],
    ["managedLoginBranding:ManagedLoginBranding", { clientId: "x" }, /clientId is not an app client/],
  ])("%s with %j is refused", async (type, inputs, message) => {
    const base = type.startsWith("userPoolClient") ? clientInputs : {};
    await expect(local.make(type, { ...base, userPoolId: local.poolId, ...inputs }, "x")).rejects.toThrow(message);
  });
});

describe("the endpoint", () => {
  const call = (body: string, headers: Record<string, string> = {}) =>
    fetch(local.cognito.endpoint, {
      method: "POST",
      body,
      headers: { "x-amz-target": "AWSCognitoIdentityProviderService.ListUsers", ...headers },
    });

  test("refuses an operation that it does not simulate, and names it", async () => {
    const command = new UpdateGroupCommand({ GroupName: "a", UserPoolId: local.poolId });
    await expect(local.sdk.send(command)).rejects.toMatchObject({
      name: "UnknownOperationException",
      message: expect.stringMatching(/does not simulate UpdateGroup; it simulates SignUp, /),
    });
    const other = await call("{}", { "x-amz-target": "Other.toString" });
    expect([other.status, await other.json()]).toMatchObject([400, { __type: "UnknownOperationException" }]);
  });

  test("refuses administrators' operations without a signature", async () => {
    const body = JSON.stringify({ UserPoolId: local.poolId });
    const answer = await call(body);
    expect([answer.status, await answer.json()]).toEqual([
      400,
      { __type: "MissingAuthenticationTokenException", message: "Missing Authentication Token" },
    ]);
    await local.sdk.send(new ListUsersCommand({ UserPoolId: local.poolId }));
    const unknown = local.sdk.send(new ListUsersCommand({ UserPoolId: "us-east-1_nowhere00" }));
    await expect(unknown).rejects.toMatchObject({ name: "ResourceNotFoundException" });
  });

  test.each([
    ["", 400, "SerializationException"],
    ["[]", 400, "SerializationException"],
    ["{", 400, "SerializationException"],
    ['{"UserPoolId": 7}', 400, "InvalidParameterException"],
    ['{"UserPoolId": "x", "Limit": "many"}', 400, "ResourceNotFoundException"],
    [`{"UserPoolId": "${"x".repeat(300_000)}"}`, 413, "RequestEntityTooLargeException"],
  ])("answers the body %.20j", async (body, status, type) => {
    const answer = await call(body, { authorization: "AWS4-HMAC-SHA256 Credential=x" });
    expect([answer.status, await answer.json()]).toMatchObject([status, { __type: type }]);
    expect(answer.headers.get("x-amzn-errortype")).toBe(type);
  });

  test("refuses an administrator's operation from a web page, whatever key it uses", async () => {
    const send = (origin?: string) =>
      fetch(local.cognito.endpoint, {
        method: "POST",
        headers: {
          authorization: "AWS4-HMAC-SHA256 Credential=x",
          "x-amz-target": "AWSCognitoIdentityProviderService.ListUsers",
          ...(origin !== undefined && { origin }),
        },
        body: JSON.stringify({ UserPoolId: local.poolId }),
      });
    expect((await send()).status).toBe(200);
    for (const origin of ["https://evil.example", "http://localhost:5173", "null"]) {
      const answer = await send(origin);
      expect([answer.status, answer.headers.get("x-amzn-errortype")]).toEqual([
        400,
        expect.stringContaining("Missing"),
      ]);
    }
  });

  test("refuses to show the mailbox to pages of other hosts", async () => {
    const { port } = new URL(local.cognito.endpoint);
    const answer = await new Promise<string>((resolve) => {
      const socket = connect(Number(port), "127.0.0.1");
      let received = "";
      socket.on("data", (data) => {
        received += data;
      });
      socket.on("close", () => resolve(received));
      socket.write("GET /mailbox HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n");
    });
    expect(answer).toMatch(/^HTTP\/1.1 403/);
    expect((await fetch(local.cognito.mailboxUrl)).headers.get("access-control-allow-origin")).toBeNull();
  });

  test("has no keys for a pool that is not deployed, and can be closed twice", async () => {
    expect((await fetch(`${local.cognito.endpoint}/us-east-1_nowhere00/.well-known/jwks.json`)).status).toBe(404);
    await local.cognito.close();
    await local.cognito.close();
    await expect(fetch(local.cognito.mailboxUrl)).rejects.toThrow();
  });
});
