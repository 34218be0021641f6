/** Requests that the running system must refuse, and data that must pass unchanged, over plain HTTP. */
import { createPrivateKey, generateKeyPairSync, type KeyObject, randomBytes, sign } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import type { OutgoingHttpHeaders } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CognitoIdentityProviderClient, InitiateAuthCommand } from "@aws-sdk/client-cognito-identity-provider";
import { JwtVerifier } from "aws-jwt-verify";
import { createConnection } from "mysql2/promise";
import * as openid from "openid-client";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Outputs } from "../../cli/localOutputs";
import { Browser } from "../local/services/managed-login/browser";
import { exchange } from "../local/services/s3/exchange";
import { type RunningSystem, startLocalSystem } from "../support/localSystem";
import { mediaTypes } from "../support/mediaTypes";

const directory = mkdtempSync(join(tmpdir(), "ecommerce-story-"));
const password = "Correct-horse-1";
const email = "ada@example.com";
const scope = "openid email aws.cognito.signin.user.admin";

let system: RunningSystem;
let outputs: Outputs;
let config: openid.Configuration;
let person: Awaited<ReturnType<typeof signUp>>;

beforeAll(async () => {
  system = await startLocalSystem(directory);
  outputs = system.outputs;
  const issuer = new URL(`${outputs.cognitoEndpoint}/${outputs.userPoolId}`);
  const options = { execute: [openid.allowInsecureRequests] };
  config = await openid.discovery(issuer, outputs.userPoolClientId, undefined, openid.None(), options);
  person = await signUp(email);
});
afterAll(async () => {
  await system?.stop();
  rmSync(directory, { recursive: true, force: true });
});

const login = () => new URL(outputs.signInUrl).origin;

async function codeFor(address: string): Promise<string> {
  const mails = (await (await fetch(outputs.mailbox)).json()) as { to: string; code: string }[];
  return mails.find(({ to }) => to === address)!.code;
}

/** An authorization request as a standard OpenID client makes it. */
async function authorization(changes: Record<string, string> = {}) {
  const verifier = openid.randomPKCECodeVerifier();
  const state = openid.randomState();
  const url = openid.buildAuthorizationUrl(config, {
    redirect_uri: outputs.webUrl!,
    scope,
    state,
    code_challenge: await openid.calculatePKCECodeChallenge(verifier),
    code_challenge_method: "S256",
    ...changes,
  });
  return { url: url.href, verifier, state };
}

const link = (browser: Browser, path: string) =>
  new RegExp(`href="(${path}[^"]*)"`).exec(browser.page)![1]!.replaceAll("&amp;", "&");

/** Fills in the pages of a sign-up, up to the page for the confirmation code. */
async function beginSignUp(browser: Browser, request: string, address: string): Promise<void> {
  await browser.open(request);
  await browser.open(link(browser, "/signup"));
  await browser.submit("/signup", { username: address, password, repeat: password });
}

async function signUp(address: string) {
  const browser = new Browser(login());
  const { url, verifier, state } = await authorization();
  await beginSignUp(browser, url, address);
  const back = new URL(await browser.submit("/confirm", { code: await codeFor(address) }));
  const checks = { pkceCodeVerifier: verifier, expectedState: state, idTokenExpected: true };
  const tokens = await openid.authorizationCodeGrant(config, back, checks);
  return { browser, tokens, back, verifier, state, sub: tokens.claims()!.sub };
}

/** Gets a new authorization code for the person, whose browser is signed in. */
async function newCode(changes: Record<string, string> = {}) {
  const request = await authorization(changes);
  return { ...request, back: new URL(await person.browser.open(request.url)) };
}

async function database() {
  const { host, port, user, password: secret, database: name } = outputs.mysql;
  const ssl = { ca: readFileSync(outputs.authorityFile, "utf8"), verifyIdentity: true };
  return createConnection({ host, port, user, password: secret, database: name, ssl });
}

const fields = (values: Record<string, string>) =>
  new URLSearchParams({ client_id: outputs.userPoolClientId, ...values });
const requestToken = async (values: Record<string, string>): Promise<[number, any]> => {
  const response = await fetch(`${login()}/oauth2/token`, { method: "POST", body: fields(values) });
  return [response.status, await response.json()];
};

/**
 * Sends a request to the image API with the person's token, unless the headers have another; does not encode the key.
 */
function api(method: string, key: string, headers: OutgoingHttpHeaders = {}, body?: Buffer, bucket?: string) {
  const { origin, pathname } = new URL(outputs.apiUrl);
  const path = `${pathname}/${bucket ?? outputs.bucketName}/${key}`;
  const given: OutgoingHttpHeaders = { authorization: person.tokens.access_token, ...headers };
  if (given.authorization === undefined) delete given.authorization;
  return exchange(origin, path, { method, headers: given, body });
}
function bucket(path: string, options: { method?: string; headers?: OutgoingHttpHeaders; body?: Buffer } = {}) {
  const { origin, pathname } = new URL(outputs.bucketUrl);
  return exchange(origin, `${pathname}/${path}`, options);
}

const jpegHeader = Buffer.from([0xff, 0xd8, 0xff, 0xe0]);
const pngHeader = Buffer.from("\x89PNG\r\n\x1a\n", "latin1");
const png = Buffer.concat([pngHeader, randomBytes(50_000)]);
const asPng = { "content-type": "image/png" };

describe("managed login", () => {
  it("works with standard clients: discovery, tokens and their verification", async () => {
    const { issuer, jwks_uri: jwksUri } = config.serverMetadata();
    const verifier = JwtVerifier.create({ issuer, audience: null, jwksUri });
    verifier.cacheJwks((await (await fetch(jwksUri!)).json()) as any);
    const access = await verifier.verify(person.tokens.access_token);
    expect(access).toMatchObject({ token_use: "access", client_id: outputs.userPoolClientId, scope, sub: person.sub });
    expect(access.exp! - access.iat!, "seconds, as the app client says").toBe(3600);
    expect(person.tokens.expires_in).toBe(3600);
    const id = await verifier.verify(person.tokens.id_token!, { audience: outputs.userPoolClientId } as any);
    expect(id).toMatchObject({ token_use: "id", email, email_verified: true });
    expect(id.exp! - id.iat!).toBe(3600);
    const fresh = await openid.refreshTokenGrant(config, person.tokens.refresh_token!);
    expect(await verifier.verify(fresh.access_token)).toMatchObject({ scope, sub: person.sub });
  });

  it("made a row for the person who confirmed", async () => {
    const connection = await database();
    const [rows] = await connection.query<any[]>("SELECT User_Email FROM users WHERE User_UUID = ?", [person.sub]);
    await connection.end();
    expect(rows).toEqual([{ User_Email: email }]);
  });

  it.each(["https://evil.example.com/", "http://localhost:1/", "javascript:alert(1)", ""])(
    "does not redirect to %j, which is not registered",
    async (target) => {
      const { url } = await authorization({ redirect_uri: target });
      const answer = await fetch(url, { redirect: "manual" });
      expect([answer.status, answer.headers.get("location")]).toEqual([400, null]);
      const query = new URLSearchParams({ client_id: outputs.userPoolClientId, logout_uri: target });
      const out = await fetch(`${login()}/logout?${query}`, { redirect: "manual" });
      expect([out.status, out.headers.get("location")]).toEqual([400, null]);
    },
  );

  it("signs people out and redirects them to a registered address", async () => {
    const guest = await signUp("guest@example.com");
    const query = new URLSearchParams({ client_id: outputs.userPoolClientId, logout_uri: outputs.webUrl! });
    expect(await guest.browser.open(`/logout?${query}`)).toBe(outputs.webUrl);
    expect(await guest.browser.open((await authorization()).url)).toContain("/login?");
  });

  it("refuses a scope and a flow that the client does not allow", async () => {
    const wrongScope = await newCode({ scope: "openid phone" });
    expect([...wrongScope.back.searchParams.keys(), wrongScope.back.searchParams.get("error")]).toEqual(
      expect.arrayContaining(["error", "invalid_scope"]),
    );
    const implicit = await newCode({ response_type: "token" });
    expect(implicit.back.searchParams.get("error")).toBe("unauthorized_client");
    expect(implicit.back.hash).toBe("");
  });

  it("accepts a code once, and only with its PKCE verifier", async () => {
    const code = (from: URL) => from.searchParams.get("code")!;
    const grant = { grant_type: "authorization_code", redirect_uri: outputs.webUrl! };
    const first = await newCode();
    const right = { ...grant, code: code(first.back), code_verifier: first.verifier };
    expect((await requestToken(right))[0]).toBe(200);
    expect(await requestToken(right), "again").toEqual([400, { error: "invalid_grant" }]);
    const second = await newCode();
    const wrong = { ...grant, code: code(second.back), code_verifier: openid.randomPKCECodeVerifier() };
    expect(await requestToken(wrong)).toEqual([400, { error: "invalid_grant" }]);
    expect((await requestToken({ ...wrong, code_verifier: second.verifier }))[0], "used up").toBe(400);
  });

  it("shows Cognito's message for a trigger that fails; the next sign-in makes the row", async () => {
    const address = "unlucky@example.com";
    const browser = new Browser(login());
    const request = await authorization();
    await beginSignUp(browser, request.url, address);
    const connection = await database();
    const row = async () => {
      const [rows] = await connection.query<any[]>("SELECT User_UUID FROM users WHERE User_Email = ?", [address]);
      return rows.length;
    };
    await connection.query("RENAME TABLE users TO users_away");
    try {
      await browser.submit("/confirm", { code: await codeFor(address) });
      expect(browser.message).toMatch(/^PostConfirmation failed with error /);
      expect(browser.page, "no secret, no SQL").not.toMatch(/INSERT|ecommerce_register|ER_NO_SUCH_TABLE/);
    } finally {
      await connection.query("RENAME TABLE users_away TO users");
    }
    expect(await row()).toBe(0);
    await browser.open(request.url);
    const back = await browser.submit("/login", { username: address, password });
    expect(new URL(back).searchParams.get("code")).toMatch(/./);
    expect(await row()).toBe(1);
    await connection.end();
  });
});

describe("the image API refuses", () => {
  /** The person's access token with claims changed, signed with this key. */
  const forged = (key: KeyObject, changes: Record<string, unknown> = {}) => {
    const [header, payload] = person.tokens.access_token.split(".") as [string, string];
    const claims = { ...JSON.parse(Buffer.from(payload, "base64url").toString()), ...changes };
    const content = `${header}.${Buffer.from(JSON.stringify(claims)).toString("base64url")}`;
    return `${content}.${sign("sha256", Buffer.from(content), key).toString("base64url")}`;
  };
  const poolKey = () => createPrivateKey(readFileSync(join(directory, "cognito", "signing-key.pem")));
  const foreignKey = () => generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey;
  const now = Math.floor(Date.now() / 1000);
  const ofApiSignIn = async () => {
    const { region, accessKeyId, secretAccessKey, cognitoEndpoint: endpoint } = outputs;
    const cognito = new CognitoIdentityProviderClient({
      region,
      endpoint,
      credentials: { accessKeyId, secretAccessKey },
    });
    const AuthParameters = { USERNAME: email, PASSWORD: password };
    const ClientId = outputs.userPoolClientId;
    const answer = await cognito.send(
      new InitiateAuthCommand({ AuthFlow: "USER_PASSWORD_AUTH", ClientId, AuthParameters }),
    );
    return answer.AuthenticationResult!.AccessToken!;
  };

  // Proves that the tokens below are refused for their content, not for how this test signs them.
  it("no token that is signed with the pool's own key by this test", async () => {
    expect((await api("PUT", "forged.png", { ...asPng, authorization: forged(poolKey()) }, png)).status).toBe(200);
  });

  it.each<[string, () => string | undefined | Promise<string>]>([
    ["no token", () => undefined],
    ["something else", () => "let me in"],
    ["an ID token", () => person.tokens.id_token!],
    ["a refresh token", () => person.tokens.refresh_token!],
    ["an expired token", () => forged(poolKey(), { iat: now - 7200, exp: now - 3600 })],
    ["a token of another key", () => forged(foreignKey())],
    ["a token of another pool", () => forged(foreignKey(), { iss: `${outputs.cognitoEndpoint}/us-east-1_Foreign00` })],
    ["another pool's name under this pool's key", () => forged(poolKey(), { iss: "https://example.com/us-east-1_x" })],
    [
      "a token of a sign-in without openid",
      async () => {
        const { back, verifier, state } = await newCode({ scope: "aws.cognito.signin.user.admin" });
        const checks = { pkceCodeVerifier: verifier, expectedState: state };
        return (await openid.authorizationCodeGrant(config, back, checks)).access_token;
      },
    ],
    ["a token of API sign-in", ofApiSignIn],
  ])("%s: 401, with a CORS header for every origin", async (_, token) => {
    const authorization = await token();
    for (const method of ["PUT", "GET"]) {
      const reply = await api(method, "refused.png", { ...asPng, authorization }, method === "PUT" ? png : undefined);
      expect([reply.status, reply.headers["access-control-allow-origin"]]).toEqual([401, "*"]);
      expect(JSON.parse(reply.text)).toEqual({ message: expect.any(String) });
    }
    expect((await bucket("refused.png")).status, "nothing was stored").toBe(403);
  });

  it.each([
    ["GET", ""],
    ["DELETE", "a.png"],
    ["PUT", "a/b.png"],
  ])("a method or path that the API does not have: %s %j", async (method, key) => {
    const reply = await api(method, key);
    expect(reply).toMatchObject({ status: 403, text: '{"message":"Missing Authentication Token"}' });
    expect(reply.headers["access-control-allow-origin"]).toBe("*");
  });

  it("another bucket, which the role may not use, with S3's error", async () => {
    const reply = await api("PUT", "a.png", asPng, png, "somebody-elses-bucket");
    expect(reply.status).toBe(403);
    expect(reply.text).toContain("<Code>AccessDenied</Code>");
    expect(reply.headers["access-control-allow-origin"]).toBe("*");
  });

  it("a missing key with S3's 403 for a caller who may not list", async () => {
    const reply = await api("GET", "missing.png");
    expect(reply.status).toBe(403);
    expect(reply.text).toContain("<Code>AccessDenied</Code>");
    expect((await bucket("missing.png")).status).toBe(403);
  });

  it("more than 10 MB", async () => {
    const reply = await api("PUT", "large.png", asPng, Buffer.alloc(10 * 1024 * 1024 + 1));
    // No CORS header: API Gateway does not let an API customize this response.
    expect([reply.status, reply.headers["access-control-allow-origin"]]).toEqual([413, undefined]);
    expect((await bucket("large.png")).status).toBe(403);
  });

  it("no preflight request: it needs no token", async () => {
    const headers = {
      authorization: undefined,
      origin: "http://localhost:3000",
      "access-control-request-method": "PUT",
    };
    for (const key of ["a.png", ""]) {
      const reply = await api("OPTIONS", key, headers);
      expect(reply.status).toBe(200);
      expect(reply.headers).toMatchObject({
        "access-control-allow-origin": "*",
        "access-control-allow-headers": "Authorization,Content-Type",
      });
      expect(reply.headers["access-control-allow-methods"]).toBe(key ? "GET,PUT,OPTIONS" : "OPTIONS");
    }
  });
});

describe("byte for byte, through the API and from the bucket", () => {
  it.each<[string, string, Buffer]>([
    ["a JPEG", "image/jpeg", Buffer.concat([jpegHeader, randomBytes(100_000)])],
    ["a PNG", "image/png", png],
    ["an empty file", "image/png", Buffer.alloc(0)],
    ["10 MB minus one byte", "image/jpeg", Buffer.concat([jpegHeader, randomBytes(10 * 1024 * 1024 - 5)])],
  ])("%s", async (name, type, bytes) => {
    const key = encodeURIComponent(`story ${name}`);
    expect((await api("PUT", key, { "content-type": type }, bytes)).status).toBe(200);
    for (const reply of [await api("GET", key), await bucket(key)]) {
      expect([reply.status, reply.headers["content-type"]]).toEqual([200, type]);
      expect(reply.body.equals(bytes)).toBe(true);
    }
  });

  it("any bytes of every type, or of none", async () => {
    for (const type of [...mediaTypes, undefined]) {
      const header = type === undefined ? {} : { "content-type": type };
      const bytes = randomBytes(5006);
      expect((await api("PUT", "typed", header, bytes)).status, type).toBe(200);
      for (const reply of [await api("GET", "typed"), await bucket("typed")]) {
        expect([reply.status, reply.headers["content-type"]]).toEqual([200, type ?? "application/json"]);
        expect(reply.body.equals(bytes), type).toBe(true);
      }
    }
  });

  it("50 uploads at once", async () => {
    const bodies = Array.from({ length: 50 }, (_, i) => Buffer.concat([pngHeader, randomBytes(20_000 + i)]));
    const replies = await Promise.all(bodies.map((body, i) => api("PUT", `many-${i}.png`, asPng, body)));
    expect(replies.map(({ status }) => status)).toEqual(bodies.map(() => 200));
    const back = await Promise.all(bodies.map((_, i) => bucket(`many-${i}.png`)));
    expect(back.map(({ body }, i) => body.equals(bodies[i]!))).toEqual(bodies.map(() => true));
  });

  it.each([
    "with space.png",
    "folder/a b/c.png",
    "日本語 ü.png",
    "..",
    "../../../escaped.png",
    "100%.png",
    "a+b&c=d?.png",
  ])("the key %j, stored unchanged", async (key) => {
    const body = Buffer.concat([pngHeader, Buffer.from(key)]);
    expect((await api("PUT", encodeURIComponent(key), asPng, body)).status).toBe(200);
    expect((await api("GET", encodeURIComponent(key))).body.equals(body)).toBe(true);
    expect((await bucket(encodeURIComponent(key))).body.equals(body)).toBe(true);
  });

  it("keys with dots leave nothing outside the store", () => {
    expect(readdirSync(join(directory, "objects"))).toEqual([outputs.bucketName]);
    for (const folder of [directory, tmpdir()]) expect(existsSync(join(folder, "escaped.png"))).toBe(false);
  });
});

describe("the bucket, for anonymous callers", () => {
  beforeAll(async () => {
    expect((await api("PUT", "public.png", asPng, png)).status).toBe(200);
  });

  it("serves ranges and conditional requests", async () => {
    const whole = await bucket("public.png");
    const { etag, "last-modified": modified } = whole.headers;
    expect(etag).toMatch(/^"[0-9a-f]{32}"$/);
    const part = await bucket("public.png", { headers: { range: "bytes=8-107" } });
    expect([part.status, part.headers["content-range"]]).toEqual([206, `bytes 8-107/${png.length}`]);
    expect(part.body.equals(png.subarray(8, 108))).toBe(true);
    const status = async (headers: OutgoingHttpHeaders) => (await bucket("public.png", { headers })).status;
    expect(await status({ range: `bytes=${png.length}-` })).toBe(416);
    expect(await status({ "if-none-match": etag! })).toBe(304);
    expect(await status({ "if-modified-since": modified! })).toBe(304);
    expect(await status({ "if-match": '"another"' })).toBe(412);
    expect(await status({ "if-match": etag! })).toBe(200);
    const head = await bucket("public.png", { method: "HEAD" });
    expect([head.status, head.headers["content-length"], head.body.length]).toEqual([200, String(png.length), 0]);
  });

  it("refuses uploads, deletions and listing", async () => {
    for (const method of ["PUT", "DELETE"]) {
      const reply = await bucket("public.png", { method, body: method === "PUT" ? Buffer.from("mine") : undefined });
      expect(reply.status, method).toBe(403);
      expect(reply.text).toContain("<Code>AccessDenied</Code>");
    }
    expect((await bucket("?list-type=2")).status).toBe(403);
    expect((await bucket("public.png")).body.equals(png)).toBe(true);
  });
});

it("still runs after all of this, and has printed no failure", async () => {
  expect(system.process.exitCode).toBeNull();
  expect(system.printed()).not.toMatch(/endpoint failed|request failed/);
});
