import { AdminCreateUserCommand, ForgotPasswordCommand } from "@aws-sdk/client-cognito-identity-provider";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { html } from "../../../../local/services/managed-login/html";
import { callback, email, LocalLogin, parameter, password } from "./support";

let on: LocalLogin;
beforeEach(async () => {
  on = await LocalLogin.start();
});
afterEach(() => on.dispose());

describe("a person", () => {
  test("signs up, gets a code, confirms, and comes back signed in", async () => {
    const back = await on.signUp();
    expect(back).toMatch(/^http:\/\/localhost:5173\/callback\?code=[0-9a-f-]{36}&state=/);
    expect(parameter(back, "state")).toBe("a state/&=");
    expect(on.local.events.map((event) => event.triggerSource)).toEqual([
      "PostConfirmation_ConfirmSignUp",
      "PostAuthentication_Authentication",
    ]);
    // This browser stays signed in for the next request; another browser is not signed in.
    expect(await on.browser.open(on.request())).toMatch(/[?&]code=/);
    expect(await on.browser.open(on.request({ prompt: "login" }))).toContain("/login?");
    on.browser.cookies.clear();
    expect(await on.browser.open(on.request())).toContain("/login?");
  });

  test("asks for another code, and sees that the old one is wrong", async () => {
    await on.browser.open(on.request({}, "/signup"));
    await on.browser.submit("/signup", { username: email, password, repeat: password });
    const first = on.local.code(email);
    await on.browser.submit("/resendcode");
    expect(on.browser.message).toBe("A new code is on its way.");
    expect(on.browser.page).toContain(email);
    if (first !== on.local.code(email)) {
      await on.browser.submit("/confirm", { code: first });
      expect([on.browser.answered, on.browser.status]).toEqual([303, 200]);
      expect(on.browser.title).toBe("Error: Confirm your account");
      expect(on.browser.message).toBe("Invalid verification code provided, please try again.");
    }
    await on.browser.submit("/confirm", { code: ` ${on.local.code(email)} ` });
    expect(on.local.events).toHaveLength(2);
  });

  test("who has not confirmed is redirected to the confirmation at sign-in", async () => {
    await on.browser.open(on.request({}, "/signup"));
    await on.browser.submit("/signup", { username: email, password, repeat: password });
    on.browser.cookies.clear();
    expect(await on.signIn()).toContain("/confirm?");
    expect(await on.browser.submit("/confirm", { code: on.local.code(email) })).toMatch(/[?&]code=/);
  });

  test("reads the reason of every refusal", async () => {
    await on.signUp();
    on.browser.cookies.clear();
    await on.signIn(on.request(), email, "Wrong-horse-1");
    expect([on.browser.answered, on.browser.status]).toEqual([303, 200]);
    expect([on.browser.title, on.browser.message]).toEqual(["Error: Sign in", "Incorrect username or password."]);
    expect(on.browser.page).toContain(`value="${email}"`);
    expect(on.browser.page).not.toContain("Wrong-horse-1");
    await on.browser.submit("/login", { username: email });
    expect(on.browser.message).toBe("Enter your password.");
    await on.browser.open(on.request({}, "/signup"));
    const signUp = async (username: string, given: string, repeat = given) => {
      await on.browser.submit("/signup", { username, password: given, repeat });
      return on.browser.message;
    };
    expect(await signUp(email, password)).toBe(
      "There is an account with this email address already. Sign in, or enter another one.",
    );
    expect(await signUp("b@example.com", password, "other")).toBe("The two passwords are not the same.");
    expect(await signUp("b@example.com", "short")).toBe("Choose a longer password: at least 8 characters.");
    expect(await signUp('"><script>alert(1)</script>', password)).toBe(
      "Enter an email address, for example name@example.com.",
    );
    expect(on.browser.page).not.toContain("<script");
    expect(on.browser.page).toContain("&quot;&gt;&lt;script&gt;");
  });

  test("resets a forgotten password", async () => {
    await on.signUp();
    on.browser.cookies.clear();
    await on.browser.open(on.request({}, "/forgotPassword"));
    await on.browser.submit("/forgotPassword", { username: email });
    const next = "Another-horse-2";
    await on.browser.submit("/confirmForgotPassword", { code: on.local.code(email), password: next, repeat: next });
    expect(on.browser.message).toBe("Your password is changed. You can sign in now.");
    expect(await on.browser.submit("/login", { username: email, password: next })).toMatch(/[?&]code=/);
    // An unknown address leads to the same page.
    await on.browser.open(on.request({}, "/forgotPassword"));
    expect(await on.browser.submit("/forgotPassword", { username: "nobody@example.com" })).toContain("/confirmForgot");
  });

  test("with a temporary password chooses a new one", async () => {
    const create = { UserPoolId: on.local.poolId, Username: email, TemporaryPassword: "Temporary-1" };
    await on.local.sdk.send(new AdminCreateUserCommand(create));
    expect(await on.signIn(on.request(), email, "Temporary-1")).toContain("/newPassword?");
    await on.browser.submit("/newPassword", { password: "weak", repeat: "weak" });
    expect(on.browser.message).toBe("Choose a longer password: at least 8 characters.");
    expect(await on.browser.submit("/newPassword", { password, repeat: password })).toMatch(/[?&]code=/);
  });

  test("reads the error of a failing trigger, and is confirmed but not signed in", async () => {
    on.local.trigger = async (event) => {
      if (event.triggerSource.startsWith("PostConfirmation")) throw new Error("no row");
      return event;
    };
    await on.signUp();
    expect(on.browser.message).toBe("PostConfirmation failed with error no row.");
    expect(on.browser.title).toBe("Error: Confirm your account");
    on.local.trigger = () => Promise.reject(new Error("not yet"));
    await on.signIn();
    expect(on.browser.message).toBe("PostAuthentication failed with error not yet.");
    on.local.trigger = async (event) => {
      if (event.triggerSource.startsWith("PostAuthentication")) throw new Error("no row yet");
      return event;
    };
    await on.signUp("b@example.com");
    expect([on.browser.title, on.browser.message]).toEqual([
      "Error: Sign in",
      "PostAuthentication failed with error no row yet.",
    ]);
    on.local.trigger = async (event) => event;
    expect(await on.signIn()).toMatch(/[?&]code=/);
  });

  test("signs out", async () => {
    await on.signUp();
    const out = { client_id: on.local.clientId, logout_uri: "http://localhost:5173/" };
    expect(await on.browser.open(`/logout?${new URLSearchParams(out)}`)).toBe("http://localhost:5173/");
    expect(await on.browser.open(on.request())).toContain("/login?");
    await on.signIn();
    expect(await on.browser.open(on.request({}, "/logout"))).toContain("/login?");
    expect(await on.browser.open(on.request({ prompt: "none" }))).toMatch(/callback\?error=login_required&state=/);
  });
});

describe("requests that the deployment does not allow", () => {
  test.each([
    ["an unknown client", { client_id: "nobody" }, "The client does not exist."],
    ["another callback", { redirect_uri: "https://evil.example/callback" }, "redirect_mismatch"],
    ["nearly a callback", { redirect_uri: `${callback}/` }, "redirect_mismatch"],
    ["a callback with more", { redirect_uri: `${callback}?x=1` }, "redirect_mismatch"],
    ["no callback", { redirect_uri: undefined }, "redirect_uri"],
  ])("%s: an error page, and no redirect", async (_, changes, message) => {
    for (const path of ["/oauth2/authorize", "/login", "/signup", "/confirm"]) {
      await on.browser.open(on.request(changes, path));
      expect([on.browser.status, on.browser.message]).toEqual([400, expect.stringContaining(message)]);
    }
  });

  test.each([
    ["a scope that is not allowed", { scope: "openid phone" }, "invalid_scope"],
    ["email without openid", { scope: "email" }, "invalid_scope"],
    ["no response type", { response_type: undefined }, "invalid_request"],
    ["the implicit flow", { response_type: "token" }, "unauthorized_client"],
    ["PKCE's plain method", { code_challenge_method: "plain" }, "invalid_request"],
    ["a method without a challenge", { code_challenge: undefined }, "invalid_request"],
    ["a short challenge", { code_challenge: "abc" }, "invalid_request"],
  ])("%s: an error for the app, at its registered address", async (_, changes, error) => {
    const back = await on.browser.open(on.request(changes));
    expect(back.startsWith(`${callback}?`)).toBe(true);
    expect([parameter(back, "error"), parameter(back, "state")]).toEqual([error, "a state/&="]);
  });

  test("a parameter given twice: refused", async () => {
    const back = await on.browser.open(`${on.request()}&state=other`);
    expect(parameter(back, "error")).toBe("invalid_request");
    await on.browser.open(`${on.request()}&redirect_uri=https%3A%2F%2Fevil.example`);
    expect(on.browser.status).toBe(400);
  });

  test("a sign-out URL that is not registered: refused", async () => {
    for (const logout_uri of [
      "https://evil.example/",
      "//evil.example",
      "http://localhost:5173",
      "javascript:alert(1)",
    ]) {
      await on.browser.open(`/logout?${new URLSearchParams({ client_id: on.local.clientId, logout_uri })}`);
      expect([on.browser.status, on.browser.message]).toEqual([400, expect.stringContaining("redirect_mismatch")]);
    }
  });
});

test.each([
  ["without a branding", { branded: false }, "Please contact an administrator."],
  ["with the classic pages", { domain: { managedLoginVersion: 1 } }, "Please contact an administrator."],
  ["without a domain", { domain: null }, "The client does not exist."],
  ["without OAuth for the client", { client: { allowedOauthFlowsUserPoolClient: false } }, "unauthorized_client"],
])("%s the pages are unavailable", async (_, changes, message) => {
  const other = await LocalLogin.start(changes);
  try {
    await other.browser.open(other.request());
    expect(other.browser.status).toBeGreaterThanOrEqual(400);
    expect(other.browser.message).toContain(message);
  } finally {
    await other.dispose();
  }
});

describe("forms", () => {
  const attempt = { username: email, password };

  test("from other sites are refused", async () => {
    await on.signUp();
    on.browser.cookies.clear();
    await on.browser.open(on.request({}, "/login"));
    const { page } = on.browser;
    const refused = async (sent: Promise<unknown>) => {
      await sent;
      expect([on.browser.status, on.browser.message]).toEqual([
        403,
        expect.stringContaining("not sent from these pages"),
      ]);
      on.browser.page = page;
    };
    await refused(on.browser.submit("/login", { ...attempt, _csrf: "made up" }));
    await refused(on.browser.submit("/login", attempt, { origin: "https://evil.example" }));
    await refused(on.browser.submit("/login", attempt, { origin: "null" }));
    await refused(on.browser.submit("/login", attempt, { "sec-fetch-site": "cross-site" }));
    const cookies = [...on.browser.cookies];
    on.browser.cookies.clear();
    await refused(on.browser.submit("/login", attempt));
    // The cookie of another browser does not match this page's token either.
    await on.browser.open(on.request({}, "/login"));
    on.browser.page = page;
    await refused(on.browser.submit("/login", attempt));
    on.browser.cookies.clear();
    for (const [name, value] of cookies) on.browser.cookies.set(name, value);
    expect(await on.browser.submit("/login", attempt, { origin: on.login.url })).toMatch(/[?&]code=/);
  });

  test("give a new cookie at sign-in, which scripts and other sites do not get", async () => {
    await on.signUp();
    on.browser.cookies.clear();
    await on.browser.open(on.request({}, "/login"));
    expect(on.browser.headers.get("set-cookie")).toMatch(/; Path=\/; HttpOnly; SameSite=Lax$/);
    const before = [...on.browser.cookies.values()];
    await on.browser.submit("/login", attempt);
    expect([...on.browser.cookies.values()]).not.toEqual(before);
    // The old cookie is no longer valid.
    on.browser.cookies.set("cognito-local", before[0]!);
    expect(await on.browser.open(on.request())).toContain("/login?");
  });

  test("that are too long, or use another method or path, get their error, and the pages still work", async () => {
    await on.browser.open(on.request({}, "/login"));
    await on.browser.submit("/login", { ...attempt, filler: "x".repeat(40_000) });
    expect(on.browser.status).toBe(413);
    await on.browser.open("/login", { method: "DELETE" });
    expect(on.browser.status).toBe(405);
    await on.browser.open("/toString");
    expect(on.browser.status).toBe(404);
    await on.browser.open(on.request({}, "/confirm"));
    expect(on.browser.url).toContain("/login?");
  });

  test("allow no content other than their own style", async () => {
    await on.browser.open(on.request({}, "/login"));
    expect(on.browser.headers.get("content-security-policy")).toBe(
      "default-src 'none'; style-src 'self'; img-src data:; form-action 'self' http://localhost:5173; base-uri 'none'; frame-ancestors 'none'",
    );
    expect(on.browser.headers.get("cache-control")).toBe("no-store");
    await on.browser.open("/style.css");
    expect(on.browser.headers.get("content-type")).toContain("text/css");
  });
});

test("an administrator's pool offers no sign-up, and no password reset if it has no recovery by mail", async () => {
  const other = await LocalLogin.start({
    pool: {
      adminCreateUserConfig: { allowAdminCreateUserOnly: true },
      accountRecoverySetting: { recoveryMechanisms: [{ name: "admin_only", priority: 1 }] },
    },
  });
  try {
    await on.browser.open(on.request());
    expect(on.browser.page).toContain('<button class="link" name="forgot"');
    expect(on.browser.links["Create an account"]).toMatch(/^\/signup\?/);
    await other.browser.open(other.request());
    expect(other.browser.page).not.toMatch(/\/signup|\/forgotPassword|name="forgot"/);
    await other.browser.open(other.request({}, "/signup"));
    expect(other.browser.status).toBe(403);
    await other.browser.open(other.browser.links["Back to sign in"]!);
    expect(other.browser.title).toBe("Sign in");
    const forgot = new ForgotPasswordCommand({ ClientId: other.local.clientId, Username: email });
    await expect(other.local.sdk.send(forgot)).rejects.toMatchObject({ name: "NotAuthorizedException" });
  } finally {
    await other.dispose();
  }
});

test("a URL of AWS's login pages is replaced by the local one", () => {
  const { login } = on;
  expect(login.localUrl("https://shop.auth.us-east-1.amazoncognito.com/login?a=b")).toBe(`${login.url}/login?a=b`);
  expect(login.localUrl("https://shop.example.com/login")).toBe("https://shop.example.com/login");
});

test("templates escape every text that they insert", () => {
  const list = ["<b>", html`<i>${"&"}</i>`];
  expect(html`<p title="${`"'`}">${list}${undefined}${false}${0}</p>`.text).toBe(
    '<p title="&quot;&#39;">&lt;b&gt;<i>&amp;</i>0</p>',
  );
});
