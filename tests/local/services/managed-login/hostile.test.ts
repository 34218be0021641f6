/**
 * For any request, the login pages answer in a bounded time and without a 500, redirect only to registered URLs and to
 * themselves, show values of a request only as escaped text, and answer the next request.
 */
import { Agent } from "node:http";
import fc from "fast-check";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { hugeHeader, manyHeaders, raw, sendAnyBytes, shortLimits, slowHeaders, trickle } from "../../../support/wire";
import { exchange, type Reply } from "../s3/exchange";
import { endpoints, expectHarmless, forms, hostile, mostly, registered, urlish } from "./harmless";
import { callback, email, LocalLogin, password } from "./support";

const elsewhere = ["/", "/oauth2/authorize", "/logout", "/style.css", "/toString", "/oauth2/", "//evil.example/login"];

/** Opens a connection for each request: the server may close a kept one at the moment of its next use. */
const ask: typeof exchange = (base, path, options) => exchange(base, path, { agent: new Agent(), ...options });

let on: LocalLogin;
const terminal = vi.spyOn(console, "error");
beforeAll(async () => {
  on = await LocalLogin.start();
  await on.signUp();
  on.browser.cookies.clear();
});
afterEach(async () => {
  expect((await ask(on.login.url, on.request({}, "/login"))).status).toBe(200);
  // No request of these tests may cause an error in the pages themselves.
  expect(terminal.mock.calls).toEqual([]);
});
afterAll(() => on.dispose());

const parameters = fc.record(
  {
    client_id: fc.nat().chain(() => mostly(on.local.clientId)),
    redirect_uri: fc.oneof({ weight: 2, arbitrary: fc.constant(callback) }, urlish, hostile),
    logout_uri: fc.oneof(fc.constant(registered[2]!), urlish, hostile),
    response_type: mostly("code"),
    scope: mostly("openid email"),
    state: hostile,
    nonce: hostile,
    code_challenge: mostly("x".repeat(43)),
    code_challenge_method: mostly("S256"),
    prompt: mostly("login"),
    login_hint: hostile,
  },
  { requiredKeys: ["client_id", "redirect_uri", "response_type"] },
);
const query = fc
  .tuple(
    parameters,
    fc.array(fc.tuple(fc.constantFrom("state", "redirect_uri", "scope", "x"), hostile), { maxLength: 1 }),
  )
  .map(([given, more]) =>
    new URLSearchParams([...Object.entries(given as Record<string, string>), ...more]).toString(),
  );

it("any parameters at any path by any method get a harmless answer", async () => {
  const path = fc.constantFrom(...forms, ...elsewhere);
  const method = fc.constantFrom("GET", "GET", "GET", "HEAD", "POST", "OPTIONS", "PUT");
  const text = fc.oneof(
    { weight: 6, arbitrary: query },
    fc.stringMatching(/^[\x21-\x7e]{0,60}$/),
    fc.constantFrom("%", "%0d%0aX-Injected:%20yes", "client_id=%ff%fe", "&&==&", "?client_id=?"),
  );
  await fc.assert(
    fc.asyncProperty(path, method, text, async (where, verb, search) => {
      expectHarmless(await ask(on.login.url, `${where}?${search}`, { method: verb }));
    }),
    { numRuns: 400 },
  );
});

it("sign-in and sign-out redirect only to the exact registered URLs", async () => {
  await on.signIn();
  const cookie = [...on.browser.cookies].map((pair) => pair.join("=")).join("; ");
  on.browser.cookies.clear();
  const target = fc.oneof(urlish, hostile, fc.constantFrom(...registered));
  await fc.assert(
    fc.asyncProperty(target, fc.oneof(hostile, fc.constant("s")), async (uri, state) => {
      const url = on.request({ redirect_uri: uri, state });
      const reply = await ask(on.login.url, url, { headers: { cookie } });
      expectHarmless(reply);
      const isCallback = registered.slice(0, 2).includes(uri);
      expect(reply.status).toBe(isCallback ? 302 : 400);
      if (isCallback) expect(reply.headers.location).toMatch(/\?code=[0-9a-f-]{36}&state=/);
      const out = new URLSearchParams({ client_id: on.local.clientId, logout_uri: uri, state });
      const left = await ask(on.login.url, `/logout?${out}`);
      expectHarmless(left);
      expect(left.status).toBe(uri === registered[2] ? 302 : 400);
    }),
    { numRuns: 300 },
  );
});

it("any headers get a harmless answer", async () => {
  const name = fc.constantFrom(
    "cookie",
    "origin",
    "referer",
    "authorization",
    "content-type",
    "sec-fetch-site",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-http-method-override",
    "accept-language",
    "if-none-match",
    "range",
  );
  const value = fc.oneof(
    fc.stringMatching(/^[\x20-\x7e\x80-\xff]{0,100}$/),
    fc.constantFrom(
      "cognito-local=",
      "cognito-local=__proto__",
      `${"a=b; ".repeat(500)}cognito-local=x`,
      "Basic Og==",
      "Bearer a.b.c",
    ),
  );
  const headers = fc.dictionary(name, value, { maxKeys: 4, noNullPrototype: true });
  const path = fc.constantFrom(...forms, ...endpoints, "/oauth2/authorize", "/logout");
  await fc.assert(
    fc.asyncProperty(path, fc.constantFrom("GET", "POST"), headers, async (where, method, given) => {
      expectHarmless(await ask(on.login.url, on.request({}, where), { method, headers: given }));
    }),
    { numRuns: 300 },
  );
});

describe("forms of a page that was opened before", () => {
  let cookie: string;
  let csrf: string;
  beforeEach(async () => {
    await on.browser.open(on.request({}, "/forgotPassword"));
    // From here on the session has a pending person, so that every form can be sent.
    await on.browser.submit("/forgotPassword", { username: email });
    csrf = /name="_csrf" value="([^"]+)"/.exec(on.browser.page)![1]!;
    cookie = [...on.browser.cookies].map((pair) => pair.join("=")).join("; ");
    on.browser.cookies.clear();
  });

  const post = (path: string, fields: [string, string][], headers: Record<string, string> = {}) =>
    ask(on.login.url, on.request({}, path), {
      method: "POST",
      headers: { cookie, "content-type": "application/x-www-form-urlencoded", ...headers },
      body: new URLSearchParams(fields).toString(),
    });
  /** The page to which the answer redirects: it shows what was wrong. */
  const leadsTo = ({ headers }: Reply) => {
    const cookies = headers["set-cookie"]?.map((set) => set.split(";")[0]).join("; ") ?? cookie;
    return ask(on.login.url, headers.location!, { headers: { cookie: cookies } });
  };
  const users = () => on.local.cognito.pool(on.local.poolId)!.users;

  it("with any fields get a harmless answer", async () => {
    // A text that occurs in passwords only: the pages may show again what another field of an earlier form contained.
    const secret = "Wrong-horse-1";
    const attribute = fc.constantFrom(
      "__proto__",
      "constructor",
      "toString",
      "email",
      "sub",
      "email_verified",
      "custom:x",
      "",
    );
    const name = fc.oneof(
      fc.constantFrom("username", "password", "repeat", "code", "_csrf"),
      attribute.map((one) => `attribute.${one}`),
      hostile,
    );
    const fields = fc.record({
      username: fc.oneof(hostile, fc.constant(email), fc.constant("new@example.com")),
      password: fc.oneof(
        hostile,
        hostile.map((text) => secret + text),
      ),
      code: fc.oneof(hostile, fc.stringMatching(/^\d{6}$/)),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...forms),
        fields,
        fc.array(fc.tuple(name, hostile), { maxLength: 3 }),
        async (path, { username, password, code }, more) => {
          const usual = Object.entries({ _csrf: csrf, username, password, repeat: password, code });
          const reply = await post(path, [...usual, ...more]);
          const isOurs = reply.headers.location?.startsWith("/");
          for (const answer of isOurs ? [reply, await leadsTo(reply)] : [reply]) {
            expectHarmless(answer);
            expect(answer.text).not.toContain(secret);
          }
        },
      ),
      { numRuns: 200 },
    );
    expect(Object.keys(Object.prototype)).toEqual([]);
  });

  it.each(["__proto__", "constructor", "toString", "hasOwnProperty"])(
    "with an attribute of the name %s, which the pool does not have, are refused",
    async (name) => {
      const username = `${name}@example.com`;
      const fields = { _csrf: csrf, username, password, repeat: password };
      const reply = await post("/signup", [...Object.entries(fields), [`attribute.${name}`, "x"]]);
      const page = await leadsTo(reply);
      for (const answer of [reply, page]) expectHarmless(answer);
      expect([reply.status, page.text]).toEqual([303, expect.stringContaining("could not be determined")]);
      expect(users().find(username)).toBeUndefined();
    },
  );

  it("from any other site are refused and change nothing", async () => {
    const foreignOrigin = fc.oneof(
      fc.constantFrom("null", "https://evil.example", "http://127.0.0.1", "http://localhost", "http://localhost:5173"),
      fc.stringMatching(/^[\x21-\x7e]{1,40}$/),
      fc.constantFrom("x", "/", ".evil.example").map((tail) => on.login.url + tail),
    );
    const site = fc.constantFrom("cross-site", "same-site", "none", "", "Same-Origin");
    const foreign = fc.oneof(
      fc.record({ origin: foreignOrigin }),
      fc.record({ "sec-fetch-site": site }),
      fc.record({ origin: foreignOrigin, "sec-fetch-site": fc.constant("same-origin") }),
    );
    const token = fc.oneof({ weight: 2, arbitrary: fc.nat().map(() => csrf) }, hostile);
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...forms), foreign, token, async (path, headers, given) => {
        const fields = { _csrf: given, username: "cross@example.com", password, repeat: password, code: "123456" };
        const reply = await post(path, Object.entries(fields), headers as Record<string, string>);
        expectHarmless(reply);
        expect([reply.status, reply.headers["set-cookie"], reply.headers.location]).toEqual([
          403,
          undefined,
          undefined,
        ]);
      }),
      { numRuns: 200 },
    );
    expect(users().find("cross@example.com")).toBeUndefined();
  });
});

describe("on the wire", () => {
  it("any bytes get a harmless answer", async () => {
    const lines = [
      "GET /login HTTP/1.1\r\n",
      "POST /login?client_id=x HTTP/1.1\r\nHost: 127.0.0.1\r\n",
      "GET http://evil.example/login HTTP/1.1\r\nHost: 127.0.0.1\r\n",
      "GET //evil.example/%2e%2e HTTP/1.1\r\nHost: 127.0.0.1\r\n",
      "CONNECT evil.example:443 HTTP/1.1\r\nHost: 127.0.0.1\r\n",
      "Upgrade: websocket\r\nConnection: Upgrade\r\n",
      "Transfer-Encoding: chunked\r\n",
      "Expect: something\r\n",
    ];
    await sendAnyBytes(on.login.url, lines, [400, 403, 404, 405, 413, 417, 431]);
  });

  it("huge headers and forms get an answer", async () => {
    for (const request of [hugeHeader, manyHeaders]) {
      const answer = await raw(on.login.url, request, 2000);
      expect(answer).toMatch(/^HTTP\/1\.1 431 [\s\S]*<h1>Something went wrong<\/h1>/);
    }
    const body = "x".repeat(5_000_000);
    const form = await ask(on.login.url, on.request({}, "/login"), { method: "POST", body });
    expect(form.status).toBe(413);
    expectHarmless(form);
    const headers = { "content-type": "application/x-www-form-urlencoded" };
    const token = await ask(on.login.url, "/oauth2/token", { method: "POST", headers, body });
    expect(token.status).toBe(413);
  });

  it("another host name is refused, and shown as text", async () => {
    for (const host of ["evil.example", "127.0.0.1.evil.example", "<script>&", `127.0.0.1:1"onload="`]) {
      const reply = await ask(on.login.url, on.request({}, "/login"), { headers: { host } });
      expect([reply.status, reply.headers["set-cookie"]]).toEqual([403, undefined]);
      expectHarmless(reply);
    }
    const { port } = new URL(on.login.url);
    const byName = { headers: { host: `localhost:${port}` } };
    expect((await ask(on.login.url, on.request({}, "/login"), byName)).status).toBe(200);
  });
});

describe("slow clients are cut off", () => {
  let brief: LocalLogin;
  beforeAll(async () => {
    brief = await LocalLogin.start({ limits: shortLimits });
  });
  afterAll(() => brief.dispose());

  it.each(slowHeaders)("with %s", async (_, start, piece) => {
    expect(await trickle(brief.login.url, start, piece)).toMatch(
      /^HTTP\/1\.1 408 [\s\S]*<h1>Something went wrong<\/h1>/,
    );
  });

  it.each(["/login", "/oauth2/token"])("with a form for %s that does not end", async (path) => {
    const type = "Content-Type: application/x-www-form-urlencoded\r\n";
    const start = `POST ${brief.request({}, path)} HTTP/1.1\r\nHost: 127.0.0.1\r\n${type}Content-Length: 30000\r\n\r\n`;
    expect(await trickle(brief.login.url, start, "x")).toMatch(/^HTTP\/1\.1 408 /);
  });

  it("a hundred slow clients do not delay other requests", async () => {
    const { url } = brief.login;
    const slow = Array.from({ length: 100 }, (_, i) => trickle(url, `GET /login?${i} HTTP/1.1\r\n`, "X: y\r\n"));
    expect((await ask(url, brief.request({}, "/login"))).status).toBe(200);
    const answers = await Promise.all(slow);
    expect(answers.filter((answer) => answer === undefined)).toEqual([]);
  });
});
