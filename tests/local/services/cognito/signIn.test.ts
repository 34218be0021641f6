import { createHmac } from "node:crypto";
import {
  AdminConfirmSignUpCommand,
  AdminDeleteUserCommand,
  AdminDisableUserCommand,
  ConfirmSignUpCommand,
  GetUserCommand,
  GlobalSignOutCommand,
  InitiateAuthCommand,
  RevokeTokenCommand,
  SignUpCommand,
} from "@aws-sdk/client-cognito-identity-provider";
import { JwtVerifier } from "aws-jwt-verify";
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { LocalCognito, password } from "./support";

let local: LocalCognito;
const email = "ada@example.com";
const minute = 60_000;
const auth = (AuthFlow: any, AuthParameters: Record<string, string>) =>
  local.sdk.send(new InitiateAuthCommand({ ClientId: local.clientId, AuthFlow, AuthParameters }));
const signIn = async (PASSWORD = password) =>
  (await auth("USER_PASSWORD_AUTH", { USERNAME: email, PASSWORD })).AuthenticationResult!;
const refresh = async (REFRESH_TOKEN: string) =>
  (await auth("REFRESH_TOKEN_AUTH", { REFRESH_TOKEN })).AuthenticationResult!;
const getUser = (AccessToken: string) => local.sdk.send(new GetUserCommand({ AccessToken }));
const notAuthorized = (message: string | RegExp) => ({
  name: "NotAuthorizedException",
  message: expect.stringMatching(message),
});
const claims = (token?: string) => JSON.parse(Buffer.from(token!.split(".")[1]!, "base64url").toString());
const signUp = async () => {
  const { UserSub } = await local.sdk.send(
    new SignUpCommand({ ClientId: local.clientId, Username: email, Password: password }),
  );
  const ConfirmationCode = local.code(email);
  await local.sdk.send(new ConfirmSignUpCommand({ ClientId: local.clientId, Username: email, ConfirmationCode }));
  local.events.length = 0;
  return UserSub!;
};

beforeEach(async () => {
  local = await LocalCognito.start();
});
afterEach(() => local.dispose());

/** The reference verifier, with the published keys. */
async function verifier() {
  const issuer = local.cognito.issuer(local.poolId);
  const found = (await (await fetch(`${issuer}/.well-known/openid-configuration`)).json()) as Record<string, string>;
  expect(found.issuer).toBe(issuer);
  const jwks: any = await (await fetch(found.jwks_uri!)).json();
  const created = JwtVerifier.create({ issuer, audience: null, jwksUri: found.jwks_uri });
  created.cacheJwks(jwks);
  return created;
}

describe("tokens", () => {
  test("carry Cognito's claims, live as long as configured, and are verified by aws-jwt-verify", async () => {
    const sub = await signUp();
    const tokens = await signIn();
    expect(tokens).toMatchObject({ ExpiresIn: 1800, TokenType: "Bearer" });
    const check = await verifier();
    const access = await check.verify(tokens.AccessToken!);
    expect(access).toEqual({
      sub,
      iss: local.cognito.issuer(local.poolId),
      client_id: local.clientId,
      origin_jti: expect.any(String),
      event_id: expect.any(String),
      token_use: "access",
      scope: "aws.cognito.signin.user.admin",
      auth_time: expect.any(Number),
      exp: Number(access.iat) + 1800,
      iat: expect.any(Number),
      jti: expect.any(String),
      username: sub,
    });
    const id = await check.verify(tokens.IdToken!);
    expect(id).toEqual({
      sub,
      email,
      email_verified: true,
      iss: access.iss,
      "cognito:username": sub,
      origin_jti: access.origin_jti,
      event_id: access.event_id,
      aud: local.clientId,
      token_use: "id",
      auth_time: access.auth_time,
      exp: Number(id.iat) + 1200,
      iat: expect.any(Number),
      jti: expect.any(String),
    });
    await expect(check.verify(`${tokens.AccessToken!.slice(0, -4)}AAAA`)).rejects.toThrow();
  });

  test("are refreshed with the same sign-in time, and not after the configured days", async () => {
    await signUp();
    const first = await signIn();
    local.ahead = 45 * minute;
    await expect(getUser(first.AccessToken!)).rejects.toMatchObject(notAuthorized("Access Token has expired"));
    const second = await refresh(first.RefreshToken!);
    expect(second.RefreshToken).toBeUndefined();
    const [before, after] = [claims(first.AccessToken), claims(second.AccessToken)];
    expect(after).toMatchObject({ auth_time: before.auth_time, origin_jti: before.origin_jti });
    expect(after.exp).toBeGreaterThan(before.exp);
    await getUser(second.AccessToken!);
    expect(local.events).toHaveLength(1);
    local.ahead = 10 * 24 * 60 * minute + 1000;
    await expect(refresh(first.RefreshToken!)).rejects.toMatchObject(notAuthorized("Refresh Token has expired"));
    await expect(refresh("made.up")).rejects.toMatchObject(notAuthorized("Invalid Refresh Token"));
  });

  test("of a deleted user are not valid for a new user with the same name", async () => {
    const byName = await LocalCognito.start({ pool: { usernameAttributes: [] } });
    try {
      const common = { ClientId: byName.clientId };
      const signUpAs = async (Username: string) => {
        const UserAttributes = [{ Name: "email", Value: email }];
        await byName.sdk.send(new SignUpCommand({ ...common, Username, Password: password, UserAttributes }));
        await byName.sdk.send(new AdminConfirmSignUpCommand({ UserPoolId: byName.poolId, Username }));
      };
      await signUpAs("ada");
      const AuthParameters = { USERNAME: "ada", PASSWORD: password };
      const { AuthenticationResult: first } = await byName.sdk.send(
        new InitiateAuthCommand({ ...common, AuthFlow: "USER_PASSWORD_AUTH", AuthParameters }),
      );
      const refreshed = () =>
        byName.sdk.send(
          new InitiateAuthCommand({
            ...common,
            AuthFlow: "REFRESH_TOKEN_AUTH",
            AuthParameters: { REFRESH_TOKEN: first!.RefreshToken! },
          }),
        );
      await refreshed();
      await byName.sdk.send(new AdminDeleteUserCommand({ UserPoolId: byName.poolId, Username: "ada" }));
      await signUpAs("ada");
      await expect(refreshed()).rejects.toMatchObject(notAuthorized("Invalid Refresh Token"));
    } finally {
      await byName.dispose();
    }
  });

  test("end with a revocation, a global sign-out, a disabled user", async () => {
    await signUp();
    const [one, two] = [await signIn(), await signIn()];
    await local.sdk.send(new RevokeTokenCommand({ Token: one.RefreshToken, ClientId: local.clientId }));
    await expect(refresh(one.RefreshToken!)).rejects.toMatchObject(notAuthorized("revoked"));
    await expect(getUser(one.AccessToken!)).rejects.toMatchObject(notAuthorized("revoked"));
    const three = await signIn();
    await local.sdk.send(new GlobalSignOutCommand({ AccessToken: two.AccessToken }));
    await expect(refresh(three.RefreshToken!)).rejects.toMatchObject(notAuthorized("revoked"));
    const four = await signIn();
    await local.sdk.send(new AdminDisableUserCommand({ UserPoolId: local.poolId, Username: email }));
    await expect(getUser(four.AccessToken!)).rejects.toMatchObject(notAuthorized("User is disabled."));
    await expect(signIn()).rejects.toMatchObject(notAuthorized("User is disabled."));
  });

  test("of another kind, forged or unsigned, are refused", async () => {
    await signUp();
    const { AccessToken, IdToken } = await signIn();
    const [header, payload, signature] = AccessToken!.split(".") as [string, string, string];
    const b64 = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
    const { kid } = JSON.parse(Buffer.from(header, "base64url").toString());
    const [key] = local.cognito.state.tokens.key.jwks.keys;
    const content = `${b64({ alg: "HS256", kid })}.${payload}`;
    const byPublicKey = createHmac("sha256", JSON.stringify(key)).update(content).digest("base64url");
    const forged = [
      IdToken!,
      `${b64({ alg: "none", kid })}.${payload}.`,
      `${content}.${byPublicKey}`,
      // One claim was changed after signing; all others are right.
      `${header}.${b64({ ...claims(AccessToken), exp: claims(AccessToken).exp + 60 })}.${signature}`,
      `${AccessToken}.more`,
      "..",
    ];
    for (const token of forged) {
      await expect(getUser(token)).rejects.toMatchObject(notAuthorized("Invalid Access Token"));
    }
    expect((await getUser(AccessToken!)).UserAttributes).toContainEqual({ Name: "email", Value: email });
  });
});

describe("signing in", () => {
  test("calls the function first, and fails if the function fails", async () => {
    const sub = await signUp();
    await signIn();
    expect(local.events).toEqual([
      expect.objectContaining({
        triggerSource: "PostAuthentication_Authentication",
        userName: sub,
        request: {
          userAttributes: { sub, email, email_verified: "true", "cognito:user_status": "CONFIRMED" },
          newDeviceUsed: false,
        },
      }),
    ]);
    local.trigger = () => Promise.reject(new Error("no"));
    const message = "PostAuthentication failed with error no.";
    await expect(signIn()).rejects.toMatchObject({ name: "UserLambdaValidationException", message });
  });

  test("is locked for longer and longer after five wrong passwords", async () => {
    // The clock does not run: on a slow machine the first lock, of one second, must not end by itself.
    vi.useFakeTimers({ toFake: ["Date"] });
    onTestFinished(() => {
      vi.useRealTimers();
    });
    await signUp();
    for (let i = 0; i < 5; i++) {
      await expect(signIn("Wrong-horse-1")).rejects.toMatchObject(notAuthorized("Incorrect username or password."));
    }
    await expect(signIn()).rejects.toMatchObject(notAuthorized("Password attempts exceeded"));
    local.ahead = 1001;
    await expect(signIn("Wrong-horse-1")).rejects.toMatchObject(notAuthorized("Incorrect username or password."));
    local.ahead = 2002;
    await expect(signIn()).rejects.toMatchObject(notAuthorized("Password attempts exceeded"));
    local.ahead = 3100;
    await signIn();
  });

  test("is refused by a flow that the client does not allow, or that is not simulated", async () => {
    await expect(auth("USER_SRP_AUTH", { USERNAME: email, SRP_A: "0" })).rejects.toMatchObject({
      name: "UnsupportedOperationException",
      message: expect.stringContaining("sign in with USER_PASSWORD_AUTH"),
    });
    await local.restart({ client: { explicitAuthFlows: ["ALLOW_REFRESH_TOKEN_AUTH"] } });
    await expect(signIn()).rejects.toMatchObject({
      name: "InvalidParameterException",
      message: "USER_PASSWORD_AUTH flow not enabled for this client",
    });
    const parameters = { USERNAME: email, PASSWORD: password };
    await expect(auth("ADMIN_USER_PASSWORD_AUTH", parameters)).rejects.toMatchObject({
      name: "InvalidParameterException",
    });
  });

  test("through a client with a secret needs the secret's hash", async () => {
    await local.restart({ client: { generateSecret: true } });
    const hash = createHmac("sha256", local.clientSecret)
      .update(email + local.clientId)
      .digest("base64");
    const command = (SecretHash?: string) =>
      local.sdk.send(new SignUpCommand({ ClientId: local.clientId, Username: email, Password: password, SecretHash }));
    await expect(command()).rejects.toMatchObject(notAuthorized("SECRET_HASH was not received"));
    await expect(command("wrong")).rejects.toMatchObject(notAuthorized("Unable to verify secret hash"));
    await command(hash);
  });
});

describe("over restarts", () => {
  test("users, sessions, ids and the key stay; settings are the new ones", async () => {
    await signUp();
    const { AccessToken, RefreshToken } = await signIn();
    const [poolId, clientId] = [local.poolId, local.clientId];
    expect(poolId).toMatch(/^us-east-1_[A-Za-z0-9]{9}$/);
    expect(clientId).toMatch(/^[a-z0-9]{26}$/);
    await local.restart({
      pool: { lambdaConfig: {}, passwordPolicy: { minimumLength: 20 } },
      client: { accessTokenValidity: 5 },
    });
    expect([local.poolId, local.clientId]).toEqual([poolId, clientId]);
    await getUser(AccessToken!);
    expect((await refresh(RefreshToken!)).ExpiresIn).toBe(300);
    const short = local.sdk.send(
      new SignUpCommand({ ClientId: clientId, Username: "b@example.com", Password: password }),
    );
    await expect(short).rejects.toMatchObject({ name: "InvalidPasswordException" });
    local.events.length = 0;
    await signIn();
    expect(local.events).toEqual([]);
  });

  test("a change that would replace the pool on AWS is refused", async () => {
    const changed = local.restart({ pool: { usernameConfiguration: { caseSensitive: true } } });
    await expect(changed).rejects.toThrow(/replaces the pool.*npm start -- --reset/s);
  });
});
