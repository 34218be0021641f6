import { AdminDisableUserCommand, GetUserCommand } from "@aws-sdk/client-cognito-identity-provider";
import { JwtVerifier } from "aws-jwt-verify";
import * as openid from "openid-client";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { allScopes, callback, email, LocalLogin, parameter } from "./support";

let on: LocalLogin;
beforeEach(async () => {
  on = await LocalLogin.start();
});
afterEach(() => on.dispose());

const codeOf = (url: string) => parameter(url, "code");
const claims = (token: string) => JSON.parse(Buffer.from(token.split(".")[1]!, "base64url").toString());
const read = async (response: Response): Promise<[number, any]> => [response.status, await response.json()];
const userInfo = (token: string) =>
  fetch(`${on.login.url}/oauth2/userInfo`, { headers: { authorization: `Bearer ${token}` } });

test("a standard OpenID client signs in with PKCE, refreshes, reads userinfo, revokes", async () => {
  const issuer = new URL(on.local.cognito.issuer(on.local.poolId));
  const options = { execute: [openid.allowInsecureRequests] };
  const config = await openid.discovery(issuer, on.local.clientId, undefined, openid.None(), options);
  const verifier = openid.randomPKCECodeVerifier();
  const [state, nonce] = [openid.randomState(), openid.randomNonce()];
  const request = openid.buildAuthorizationUrl(config, {
    redirect_uri: callback,
    scope: allScopes,
    state,
    nonce,
    code_challenge: await openid.calculatePKCECodeChallenge(verifier),
    code_challenge_method: "S256",
  });
  const back = new URL(await on.signUp(email, request.href));
  const checks = { pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce, idTokenExpected: true };
  const tokens = await openid.authorizationCodeGrant(config, back, checks);
  const { sub } = tokens.claims()!;
  expect(tokens.claims()).toMatchObject({ email, email_verified: true, aud: on.local.clientId, token_use: "id" });
  expect([tokens.token_type, tokens.expires_in]).toEqual(["bearer", 1800]);
  expect(await openid.fetchUserInfo(config, tokens.access_token, sub)).toEqual({
    sub,
    email,
    email_verified: "true",
    username: sub,
  });

  const verify = JwtVerifier.create({
    issuer: issuer.href,
    audience: null,
    jwksUri: config.serverMetadata().jwks_uri!,
  });
  verify.cacheJwks((await (await fetch(config.serverMetadata().jwks_uri!)).json()) as any);
  const access = await verify.verify(tokens.access_token);
  expect(access).toMatchObject({
    sub,
    token_use: "access",
    client_id: on.local.clientId,
    scope: allScopes,
    version: 2,
  });
  await verify.verify(tokens.id_token!, { audience: on.local.clientId } as any);

  on.local.ahead = 20 * 60_000;
  const fresh = await openid.refreshTokenGrant(config, tokens.refresh_token!);
  expect(claims(fresh.access_token)).toMatchObject({ scope: allScopes, auth_time: access.auth_time });
  expect(fresh.refresh_token).toBeUndefined();
  await openid.tokenRevocation(config, tokens.refresh_token!);
  await expect(openid.refreshTokenGrant(config, tokens.refresh_token!)).rejects.toMatchObject({
    error: "invalid_grant",
  });
  await expect(openid.fetchUserInfo(config, fresh.access_token, sub)).rejects.toThrow();
});

describe("an authorization code", () => {
  test("is valid once; a second use revokes the tokens of the first", async () => {
    const code = codeOf(await on.signUp());
    const [, tokens] = await read(await on.exchange(code));
    expect((await userInfo(tokens.access_token)).status).toBe(200);
    expect(await read(await on.exchange(code))).toEqual([400, { error: "invalid_grant" }]);
    expect((await userInfo(tokens.access_token)).status).toBe(401);
    const again = await on.token({ grant_type: "refresh_token", refresh_token: tokens.refresh_token });
    expect(await read(again)).toEqual([400, { error: "invalid_grant" }]);
  });

  test("is bound to its redirect URL and PKCE verifier, and a wrong one uses it up", async () => {
    await on.signUp();
    const wrong = [
      { code_verifier: "x".repeat(43) },
      { code_verifier: undefined },
      { redirect_uri: "https://shop.example.com/callback" },
    ];
    for (const changes of wrong) {
      const code = codeOf(await on.browser.open(on.request()));
      expect(await read(await on.exchange(code, changes))).toEqual([400, { error: "invalid_grant" }]);
      expect(await read(await on.exchange(code))).toEqual([400, { error: "invalid_grant" }]);
    }
    const withoutPkce = on.request({ code_challenge: undefined, code_challenge_method: undefined });
    expect((await on.exchange(codeOf(await on.browser.open(withoutPkce)))).status).toBe(400);
    const plain = codeOf(await on.browser.open(withoutPkce));
    expect((await on.exchange(plain, { code_verifier: undefined })).status).toBe(200);
  });

  test("is valid for five minutes, for its client, and while the user is enabled", async () => {
    const back = await on.signUp();
    const other = await on.local.make(
      "userPoolClient:UserPoolClient",
      {
        userPoolId: on.local.poolId,
        allowedOauthFlowsUserPoolClient: true,
        allowedOauthFlows: ["code"],
        allowedOauthScopes: ["openid"],
        callbackUrls: [callback],
        supportedIdentityProviders: ["COGNITO"],
      },
      "other",
    );
    expect(await read(await on.exchange(codeOf(back), { client_id: other.id }))).toEqual([
      400,
      { error: "invalid_grant" },
    ]);
    expect((await on.exchange(codeOf(back))).status).toBe(200);
    const late = codeOf(await on.browser.open(on.request()));
    on.local.ahead = 5 * 60_000;
    expect((await on.exchange(late)).status).toBe(400);
    const disabled = codeOf(await on.browser.open(on.request()));
    await on.local.sdk.send(new AdminDisableUserCommand({ UserPoolId: on.local.poolId, Username: email }));
    expect((await on.exchange(disabled)).status).toBe(400);
    expect(await on.browser.open(on.request())).toContain("/login?");
  });
});

describe("tokens", () => {
  test("carry the granted scopes only, and the ID token the attributes of those scopes", async () => {
    await on.signUp();
    const granted = async (scope?: string) =>
      (await read(await on.exchange(codeOf(await on.browser.open(on.request({ scope }))))))[1];
    const openidOnly = await granted("openid");
    expect(claims(openidOnly.access_token).scope).toBe("openid");
    expect(claims(openidOnly.id_token)).toMatchObject({ email });
    const api = new GetUserCommand({ AccessToken: openidOnly.access_token });
    await expect(on.local.sdk.send(api)).rejects.toMatchObject({
      message: "Access Token does not have required scopes",
    });
    const admin = await granted("aws.cognito.signin.user.admin");
    expect(admin.id_token).toBeUndefined();
    await on.local.sdk.send(new GetUserCommand({ AccessToken: admin.access_token }));
    expect((await userInfo(admin.access_token)).status).toBe(401);
    expect(claims((await granted(undefined)).access_token).scope).toBe(allScopes);
  });
});

describe("the token endpoint", () => {
  test.each([
    [{ grant_type: undefined }, 400, "invalid_request"],
    [{ grant_type: "password" }, 400, "unsupported_grant_type"],
    [{ grant_type: "client_credentials" }, 400, "unauthorized_client"],
    [{ code: undefined }, 400, "invalid_request"],
    [{ redirect_uri: undefined }, 400, "invalid_request"],
    [{ client_id: undefined }, 400, "invalid_request"],
    [{ client_id: "nobody" }, 400, "invalid_client"],
    [{ client_secret: "a secret where there is none" }, 400, "invalid_client"],
    [{ code: "made up" }, 400, "invalid_grant"],
    [{ grant_type: "refresh_token", refresh_token: "made.up" }, 400, "invalid_grant"],
    [{ filler: "x".repeat(40_000) }, 413, "invalid_request"],
  ])("answers %.60j", async (changes, status, error) => {
    const answer = await on.exchange("code", changes as any);
    expect(answer.headers.get("access-control-allow-origin")).toBe("*");
    expect(answer.headers.get("cache-control")).toBe("no-store");
    expect(await read(answer)).toEqual([status, { error }]);
  });

  test("accepts only a form by POST, and allows scripts of other origins", async () => {
    const url = `${on.login.url}/oauth2/token`;
    const json = await fetch(url, { method: "POST", body: "{}", headers: { "content-type": "application/json" } });
    expect(await read(json)).toEqual([400, { error: "invalid_request" }]);
    expect((await fetch(url)).status).toBe(405);
    expect((await fetch(`${on.login.url}/oauth2/nothing`)).status).toBe(404);
    const preflight = await fetch(url, { method: "OPTIONS" });
    expect([preflight.status, preflight.headers.get("access-control-allow-origin")]).toEqual([200, "*"]);
  });

  test("requires the secret of a client that has one", async () => {
    const other = await LocalLogin.start({ client: { generateSecret: true } });
    try {
      const code = codeOf(await other.signUp());
      expect(await read(await other.exchange(code))).toEqual([400, { error: "invalid_client" }]);
      expect((await other.exchange(code, { client_secret: "wrong" })).status).toBe(400);
      const { clientId, clientSecret } = other.local;
      const basic = `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString("base64")}`;
      const [status, tokens] = await read(
        await other.exchange(code, { client_id: undefined }, { authorization: basic }),
      );
      expect(status).toBe(200);
      const refresh = { grant_type: "refresh_token", refresh_token: tokens.refresh_token, client_secret: clientSecret };
      expect((await other.token(refresh)).status).toBe(200);
    } finally {
      await other.dispose();
    }
  });
});

describe("the userinfo and revocation endpoints", () => {
  test("refuse every token that is not an access token with openid", async () => {
    const [, tokens] = await read(await on.exchange(codeOf(await on.signUp())));
    const bad = await userInfo(tokens.id_token);
    expect(bad.headers.get("www-authenticate")).toMatch(/^Bearer error="invalid_token"/);
    expect(await read(bad)).toMatchObject([401, { error: "invalid_token" }]);
    expect((await fetch(`${on.login.url}/oauth2/userInfo`)).status).toBe(400);
    on.local.ahead = 30 * 60_000;
    expect((await userInfo(tokens.access_token)).status).toBe(401);
    const revoke = (fields: Record<string, string>) =>
      fetch(`${on.login.url}/oauth2/revoke`, { method: "POST", body: new URLSearchParams(fields) });
    const client_id = on.local.clientId;
    expect(await read(await revoke({ client_id }))).toEqual([400, { error: "invalid_request" }]);
    const access = await revoke({ client_id, token: tokens.access_token });
    expect(await read(access)).toEqual([400, { error: "unsupported_token_type" }]);
    expect((await revoke({ client_id, token: "unknown" })).status).toBe(200);
  });
});
