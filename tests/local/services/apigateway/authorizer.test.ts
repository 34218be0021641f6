import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { exchange } from "../s3/exchange";
import { bucket, startDocumented } from "./documentedApi";
import { testPool } from "./tokens";

let api: Awaited<ReturnType<typeof startDocumented>>;
beforeAll(async () => {
  api = await startDocumented({
    // PUT requires an access token with the scope, GET an ID token.
    change: (type, name, inputs) => {
      if (type !== "aws:apigateway/method:Method" || name !== "GET") return inputs;
      const { authorizationScopes: _, ...rest } = inputs;
      return rest;
    },
  });
});
afterAll(async () => {
  await api.close();
  api.context.remove();
});

async function upload(authorization: string | undefined) {
  const headers = { "content-type": "image/png", ...(authorization !== undefined && { authorization }) };
  return exchange(api.url, `/dev/${bucket}/a.png`, { method: "PUT", headers, body: "x" });
}
const download = (authorization: string) => exchange(api.url, `/dev/${bucket}/a.png`, { headers: { authorization } });

describe("accepted", () => {
  it("an access token with the scope, with and without Bearer", async () => {
    const token = api.users.access();
    for (const header of [token, `Bearer ${token}`, `bearer ${token}`]) {
      expect((await upload(header)).status).toBe(200);
    }
  });

  it("an ID token if the method names no scope", async () => {
    await upload(api.users.access());
    expect((await download(api.users.id())).status).toBe(200);
    expect((await download(api.users.access())).status).toBe(401);
  });

  it("keys are fetched once, and again for an unknown key identifier", async () => {
    await upload(api.users.access());
    const before = api.users.pool.fetched;
    await Promise.all(Array.from({ length: 20 }, () => upload(api.users.access())));
    expect(api.users.pool.fetched).toBe(before);
    expect((await upload(api.users.access({}, { kid: "newer" }))).status).toBe(401);
    expect(api.users.pool.fetched).toBe(before + 1);
    expect((await upload(api.users.access())).status).toBe(200);
  });
});

describe("refused with 401", () => {
  const foreign = testPool("https://cognito-idp.us-east-1.amazonaws.com/us-east-1_Other");
  const past = Math.floor(Date.now() / 1000) - 10;
  // The same issuer and key identifier, but another key.
  const forger = testPool("https://cognito-idp.us-east-1.amazonaws.com/us-east-1_Test");
  const swap = (token: string) => {
    const [head, , signature] = token.split(".");
    const claims = { iss: "x", token_use: "access", client_id: "client-1", scope: "openid" };
    return `${head}.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.${signature}`;
  };
  const unauthorized = '{"message":"Unauthorized"}';
  it.each<[string, () => string | undefined, string?]>([
    ["no token", () => undefined],
    ["an empty token", () => ""],
    ["only Bearer", () => "Bearer "],
    ["a token that is not a JWT", () => "abc"],
    ["an ID token", () => api.users.id()],
    ["an ID token with the claims of an access token", () => api.users.access({ token_use: "id" })],
    ["an access token without the scope", () => api.users.access({ scope: "aws.cognito.signin.user.admin" })],
    ["scopes that only contain the scope's name", () => api.users.access({ scope: "openid2 xopenid" })],
    ["an access token without any scope", () => api.users.access({ scope: undefined })],
    ["an expired token", () => api.users.access({ exp: past }), '{"message":"The incoming token has expired"}'],
    ["a token that is not valid yet", () => api.users.access({ nbf: past + 3600 })],
    ["a date that Date cannot represent", () => api.users.access({ nbf: 8.64e12 + 1 })],
    ["a token of another pool", () => foreign.access()],
    ["a token that another key signed for this issuer", () => forger.access()],
    ["a token of another app client", () => api.users.access({ client_id: "client-2" })],
    ["alg none", () => api.users.access({}, { alg: "none" })],
    ["alg HS256 with the public key", () => api.users.access({}, { alg: "HS256" })],
    ["alg RS512, which Cognito does not use", () => api.users.access({}, { alg: "RS512" })],
    ["changed claims", () => swap(api.users.access())],
    ["no key identifier", () => api.users.access({}, { kid: undefined })],
    ["two tokens", () => `${api.users.access()}, ${api.users.access()}`],
  ])("%s", async (_, token, body = unauthorized) => {
    const reply = await upload(token());
    expect(reply.status).toBe(401);
    expect(reply.text).toBe(body);
    expect(reply.headers["x-amzn-errortype"]).toBe("UnauthorizedException");
    expect(reply.headers["access-control-allow-origin"]).toBe("*");
  });

  it("any token, and the server continues to run", async () => {
    const parts = fc.array(
      fc.oneof(
        fc.base64String(),
        fc.json().map((j) => Buffer.from(j).toString("base64url")),
      ),
      {
        minLength: 1,
        maxLength: 4,
      },
    );
    const claims = fc.dictionary(
      fc.constantFrom("iss", "exp", "token_use", "client_id", "scope", "nbf"),
      fc.jsonValue(),
    );
    const token = fc.oneof(
      parts.map((all) => all.join(".")),
      claims.map((some) => api.users.access({ ...some, client_id: "other" })),
      fc.stringMatching(/^[\x21-\x7e]{0,80}$/),
    );
    await fc.assert(
      fc.asyncProperty(token, async (value) => {
        const reply = await upload(value);
        expect(reply.status).toBe(401);
      }),
      { numRuns: 300 },
    );
    expect((await upload(api.users.access())).status).toBe(200);
  });
});
