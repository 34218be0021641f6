/** For any request, the endpoints that apps call issue tokens only for what was granted, and never answer 500. */
import { createHmac, createPublicKey, generateKeyPairSync, sign } from "node:crypto";
import fc from "fast-check";
import { afterAll, afterEach, beforeAll, expect, it, vi } from "vitest";
import { exchange } from "../s3/exchange";
import { endpoints, expectHarmless, hostile, mostly, urlish } from "./harmless";
import { callback, LocalLogin, parameter } from "./support";

let on: LocalLogin;
const terminal = vi.spyOn(console, "error");
beforeAll(async () => {
  on = await LocalLogin.start();
  await on.signUp();
  on.browser.cookies.clear();
});
afterEach(() => expect(terminal.mock.calls).toEqual([]));
afterAll(() => on.dispose());

/** A code of a browser that has just signed in. */
const freshCode = async () => {
  const code = parameter(await on.signIn(), "code");
  on.browser.cookies.clear();
  return code;
};
const userInfo = (authorization: string) => exchange(on.login.url, "/oauth2/userInfo", { headers: { authorization } });

it("any form with any credentials gets a harmless answer without tokens", async () => {
  const fields = fc.record(
    {
      grant_type: fc.constantFrom("authorization_code", "refresh_token", "client_credentials", "password", "__proto__"),
      client_id: fc.nat().chain(() => mostly(on.local.clientId)),
      client_secret: hostile,
      code: hostile,
      redirect_uri: fc.oneof(fc.constant(callback), urlish),
      code_verifier: hostile,
      refresh_token: fc.oneof(
        hostile,
        hostile.map((text) => `${text}.${text}`),
      ),
      token: fc.oneof(
        hostile,
        hostile.map((text) => `${text}.${text}.${text}`),
      ),
    },
    { requiredKeys: [] },
  );
  const basic = hostile.map((text) => `Basic ${Buffer.from(text).toString("base64")}`);
  const scheme = fc.oneof(basic, fc.stringMatching(/^(Bearer|Basic|AWS4-HMAC-SHA256) [\x21-\x7e]{0,60}$/));
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...endpoints), fields, fc.option(scheme), async (path, given, authorization) => {
      const headers = {
        "content-type": "application/x-www-form-urlencoded",
        ...(authorization !== null && { authorization }),
      };
      const body = new URLSearchParams(given as Record<string, string>).toString();
      const reply = await exchange(on.login.url, path, { method: "POST", headers, body });
      expectHarmless(reply);
      // The revocation of an unknown token succeeds.
      expect(path === "/oauth2/revoke" ? [200, 400, 401] : [400, 401]).toContain(reply.status);
      expect(reply.text).not.toContain('_token":');
    }),
    { numRuns: 300 },
  );
});

it("only the right verifier is accepted for a code, and a wrong one uses the code up", async () => {
  const near = fc.oneof(
    hostile,
    fc.constant(on.verifier.slice(0, -1)),
    fc.constant(`${on.verifier} `),
    fc.constant(on.verifier.toUpperCase()),
  );
  await fc.assert(
    fc.asyncProperty(near, async (code_verifier) => {
      const code = await freshCode();
      expect((await on.exchange(code, { code_verifier })).status).toBe(400);
      expect((await on.exchange(code)).status).toBe(400);
    }),
    { numRuns: 10 },
  );
});

it("twenty simultaneous requests with one code get tokens once, and those are revoked", async () => {
  const code = await freshCode();
  const replies = await Promise.all(Array.from({ length: 20 }, () => on.exchange(code)));
  const opened = replies.filter((reply) => reply.ok);
  expect(opened).toHaveLength(1);
  const { access_token, refresh_token } = (await opened[0]!.json()) as Record<string, string>;
  expect((await userInfo(`Bearer ${access_token}`)).status).toBe(401);
  expect((await on.token({ grant_type: "refresh_token", refresh_token })).status).toBe(400);
});

it("userinfo accepts only tokens with this pool's key and algorithm", async () => {
  const tokens = (await (await on.exchange(await freshCode())).json()) as { access_token: string };
  const [head, claims, signature] = tokens.access_token.split(".") as [string, string, string];
  expect((await userInfo(`Bearer ${tokens.access_token}`)).status).toBe(200);
  const jwk = on.local.cognito.state.tokens.key.jwks.keys[0] as any;
  const publicKey = createPublicKey({ key: jwk, format: "jwk" }).export({ type: "spki", format: "pem" });
  const foreign = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey;
  const encoded = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const later = encoded({ ...JSON.parse(Buffer.from(claims, "base64url").toString()), exp: 9_999_999_999 });

  const algorithm = fc.constantFrom("none", "None", "HS256", "RS256", "RS512", "PS256", "ES256", "");
  const header = fc
    .tuple(algorithm, fc.constantFrom(jwk.kid, "", "../../signing-key.pem", "__proto__"), fc.boolean())
    .map(([alg, kid, embeds]) => encoded({ alg, kid, ...(embeds && { jwk, jku: "https://evil.example/jwks.json" }) }));
  const signed = fc.tuple(header, fc.constantFrom(claims, later)).chain(([first, second]) => {
    const text = `${first}.${second}`;
    return fc
      .constantFrom(
        "",
        signature,
        createHmac("sha256", publicKey).update(text).digest("base64url"),
        createHmac("sha256", JSON.stringify(jwk)).update(text).digest("base64url"),
        sign("RSA-SHA256", Buffer.from(text), foreign).toString("base64url"),
      )
      .map((third) => `${text}.${third}`);
  });
  const altered = fc.constantFrom(
    `${head}.${later}.${signature}`,
    `${head}.${claims}`,
    `${head}.${claims}.`,
    `${head}..${signature}`,
  );
  const junk = fc.array(fc.stringMatching(/^[\w-]{0,30}$/), { minLength: 1, maxLength: 4 }).map((all) => all.join("."));
  await fc.assert(
    fc.asyncProperty(fc.oneof(signed, altered, junk), async (token) => {
      const reply = await userInfo(`Bearer ${token}`);
      expectHarmless(reply);
      expect([400, 401]).toContain(reply.status);
    }),
    { numRuns: 200 },
  );
});
