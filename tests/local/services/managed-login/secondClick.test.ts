/** These pages have no scripts that could disable a button: a second click must not undo the effect of the first. */
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { email, LocalLogin, parameter, password } from "./support";

let on: LocalLogin;
beforeEach(async () => {
  // The clock does not run: a slow machine must not count as a slow person.
  vi.useFakeTimers({ toFake: ["Date"] });
  on = await LocalLogin.start();
});
afterEach(async () => {
  await on.dispose();
  vi.useRealTimers();
});

const next = "Another-horse-2";
const mails = () => on.local.cognito.state.mailbox.list().length;
const open = (path: string) => on.browser.open(on.request({}, path));
const signedOut = async () => {
  await on.signUp();
  on.browser.cookies.clear();
};

/** How a test opens each form, and what it enters there. */
const forms: Record<string, { path: string; reach(): Promise<unknown>; fields(): Record<string, string> }> = {
  "sign up": {
    path: "/signup",
    reach: () => open("/signup"),
    fields: () => ({ username: email, password, repeat: password }),
  },
  confirm: {
    path: "/confirm",
    reach: async () => {
      await open("/signup");
      await on.browser.submit("/signup", { username: email, password, repeat: password });
    },
    fields: () => ({ code: on.local.code(email) }),
  },
  "send a new code": {
    path: "/resendcode",
    reach: () => forms.confirm!.reach(),
    fields: () => ({}),
  },
  "sign in": {
    path: "/login",
    reach: async () => {
      await signedOut();
      await open("/login");
    },
    fields: () => ({ username: email, password }),
  },
  "reset my password": {
    path: "/forgotPassword",
    reach: async () => {
      await signedOut();
      await open("/forgotPassword");
    },
    fields: () => ({ username: email }),
  },
  "send a new code for the password": {
    path: "/resendResetCode",
    reach: async () => {
      await forms["reset my password"]!.reach();
      await on.browser.submit("/forgotPassword", { username: email });
    },
    fields: () => ({}),
  },
  "change the password": {
    path: "/confirmForgotPassword",
    reach: () => forms["send a new code for the password"]!.reach(),
    fields: () => ({ code: on.local.code(email), password: next, repeat: next }),
  },
};

const outcome = ({ browser, to }: { browser: LocalLogin["browser"]; to: string }) =>
  to.replace(/code=[0-9a-f-]+/, "code=…") + (to.includes("code=") ? "" : ` ${browser.title}: ${browser.message}`);

describe.each(Object.keys(forms))("%s", (name) => {
  const { path, reach, fields } = forms[name]!;

  test.each([
    ["during the first one", "at once"],
    ["after the first one, with the cookie from before it,", "old cookie"],
    ["after the first one, with the new cookie,", "new cookie"],
  ])("a second click %s leads to the same page and changes nothing", async (_, when) => {
    await reach();
    const entered = fields();
    const [first, second] = [on.browser, on.browser.twin()];
    const sent = first.submit(path, entered);
    if (when !== "at once") await sent;
    if (when === "new cookie") for (const [key, value] of first.cookies) second.cookies.set(key, value);
    const [before, calls] = [mails(), on.local.events.length];
    const [to, again] = await Promise.all([sent, second.submit(path, entered)]);
    if (when !== "at once") expect([mails(), on.local.events.length]).toEqual([before, calls]);
    // A message is shown once: if both requests come at the same time, only the first one gets it.
    if (when === "at once") expect(new URL(again).pathname).toBe(new URL(to).pathname);
    else expect(outcome({ browser: second, to: again })).toBe(outcome({ browser: first, to }));
    expect(second.title ?? "").not.toMatch(/^Error|wrong/);
    if (!to.includes("code=")) return;
    expect(await second.open(on.request()), "signed in").toMatch(/[?&]code=/);
    const [code, other] = [parameter(to, "code"), parameter(again, "code")];
    expect((await on.exchange(other, { code_verifier: "x".repeat(43) })).status, "bound to PKCE").toBe(400);
    expect((await on.exchange(code)).status).toBe(200);
  });
});

test("two clicks at once: one mail, one user, one call of each function", async () => {
  await open("/signup");
  const fields = { username: email, password, repeat: password };
  await Promise.all([on.browser, on.browser.twin()].map((browser) => browser.submit("/signup", fields)));
  expect(mails()).toBe(1);
  await open("/confirm");
  const code = { code: on.local.code(email) };
  await Promise.all([on.browser, on.browser.twin()].map((browser) => browser.submit("/confirm", code)));
  expect(on.local.events.map(({ triggerSource }) => triggerSource)).toEqual([
    "PostConfirmation_ConfirmSignUp",
    "PostAuthentication_Authentication",
  ]);
});

test("a click after five seconds counts as a new one: a new code is mailed", async () => {
  await forms["send a new code"]!.reach();
  const later = on.browser.twin();
  await on.browser.submit("/resendcode");
  on.local.ahead = 4_999;
  await later.twin().submit("/resendcode");
  expect(mails()).toBe(2);
  on.local.ahead = 5_000;
  await later.submit("/resendcode");
  expect(mails()).toBe(3);
});

test("the answer to a sign-in is repeated only for the same browser, the same form, and a few seconds", async () => {
  await forms["sign in"]!.reach();
  const [form, fields] = [on.browser.twin(), { username: email, password }];
  await on.browser.submit("/login", fields);
  const refused = async (browser: LocalLogin["browser"], more: Record<string, string> = {}, headers = {}) => {
    await browser.submit("/login", { ...fields, ...more }, headers);
    expect([browser.status, browser.title]).toEqual([403, "Something went wrong"]);
    expect(browser.headers.get("set-cookie")).toBeNull();
  };
  await refused(form.twin(), { password: "Wrong-horse-1" });
  await refused(form.twin(), { more: "" });
  await refused(form.twin(), {}, { origin: "https://evil.example" });
  const stranger = form.twin();
  stranger.cookies.clear();
  await refused(stranger);
  await stranger.open(on.request({}, "/login"));
  stranger.page = form.page;
  await refused(stranger);
  const late = form.twin();
  expect(await form.twin().submit("/login", fields)).toMatch(/[?&]code=/);
  on.local.ahead = 5_000;
  await refused(late);
});

test("the same form does not sign in again after a sign-out", async () => {
  await forms["sign in"]!.reach();
  const second = on.browser.twin();
  await on.browser.submit("/login", { username: email, password });
  await open("/logout");
  await second.submit("/login", { username: email, password });
  expect([second.status, second.message]).toEqual([403, expect.stringContaining("not sent from these pages")]);
});

test("a second click of a signed-in person who resets a password does not redirect to the app", async () => {
  await on.signUp();
  await open("/forgotPassword");
  const second = on.browser.twin();
  await on.browser.submit("/forgotPassword", { username: email });
  expect(await second.submit("/forgotPassword", { username: email })).toContain("/confirmForgotPassword?");
});
